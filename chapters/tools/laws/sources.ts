/** The project's TypeScript sources and what they import, for the laws. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import ts from "typescript";
import { ROOT } from "../chapters.ts";

export interface Import {
  /** The importing file, relative to the root. */
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  /** A relative specifier as a path from the root; `#layers/…` and packages as they are. */
  readonly target: string;
  /** Whether it vanishes when types are stripped. */
  readonly typeOnly: boolean;
}

/** Files below some folders, relative to the root, that end in one of the endings. */
export function filesBelow(folders: readonly string[], endings: readonly string[]): string[] {
  return folders
    .flatMap(folder => walk(join(ROOT, folder)))
    .filter(file => endings.some(end => file.endsWith(end)));
}

const LEFT_OUT = ["node_modules", "dist", "cache", ".git", ".cache"];

function walk(folder: string): string[] {
  let entries: ReturnType<typeof readEntries>;
  try {
    entries = readEntries(folder);
  } catch {
    return []; // A folder that is not there yet holds nothing.
  }
  return entries.flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.includes(entry.name) ? [] : walk(path);
    return entry.isFile() ? [relative(ROOT, path)] : [];
  });
}

function readEntries(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}

/** All imports, re-exports, `import(…)` and import types of one file. */
export function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(ROOT, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const imports: Import[] = [];
  const add = (node: ts.Node, literal: ts.Node | undefined, typeOnly: boolean) => {
    if (!literal || !ts.isStringLiteralLike(literal)) return;
    const specifier = literal.text;
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    const target = specifier.startsWith(".")
      ? posix.normalize(posix.join(dirname(file), specifier))
      : specifier;
    imports.push({ file, line, specifier, target, typeOnly });
  };
  const visit = (node: ts.Node) => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isTypeOnly(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node, node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  return (
    !clause.name &&
    !!bindings &&
    ts.isNamedImports(bindings) &&
    bindings.elements.every(one => one.isTypeOnly)
  );
}

/** Folders that prove the core with programs and files of the host: as little part of it as its tests. */
const PROOFS = ["sandbox/cpu/oracle/", "sandbox/cpu/system/guest/", "sandbox/devices/comparison/"];

/** The portable core: no `node:`, no DOM. */
export function coreFiles(): string[] {
  const folders = ["cpu", "devices", "net", "boot", "machine", "kvm/soft"].map(one => `sandbox/${one}`);
  const files = filesBelow(["solutions", ...folders], [".ts"]).filter(file => !file.endsWith(".test.ts"));
  return [...files.filter(file => !PROOFS.some(proof => file.startsWith(proof))), "sandbox/kvm/api.ts"];
}

/** How a law names its breakers: clickable. */
export function named({ file, line, specifier }: Import): string {
  return `${file}:${line} imports ${specifier}`;
}
