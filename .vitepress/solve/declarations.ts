/**
 * What a layer and the layers below it declare, for completions in the page. Read from the sources' syntax when the
 * site is built: the TypeScript compiler itself, ten megabytes, stays out of the page.
 */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import ts from "typescript";
import { chapterNames, layerFiles, ROOT, readChapter } from "../../chapters/tools/chapters.ts";
import { generatedStarter } from "../../chapters/tools/starter-files.ts";

export interface Declaration {
  readonly name: string;
  readonly kind: "class" | "function" | "constant" | "interface" | "type" | "method" | "property";
  /** The type that a member belongs to. */
  readonly of?: string;
  /** The declaration on one line, without its body. */
  readonly signature: string;
  /** The first paragraph of its comment. */
  readonly says?: string;
  /** The file, as in "bus.ts"; with its layer where it is of a lower one. */
  readonly from: string;
}

/** What the files of `chapter` and of the layers below it export, the members of these, and the API's types. */
export function declarationsFor(chapter: string): Declaration[] {
  const facts = readChapter(chapter);
  const lower = chapterNames().filter(name => name < chapter);
  const given = (path: string, from: string) =>
    declarationsIn(readFileSync(join(ROOT, path), "utf8"), from, false);
  return [
    // Of its own layer what the starter has: a helper that the solution keeps in an exercise is no help to offer.
    ...layerFiles(chapter).flatMap(file => declarationsIn(generatedStarter(facts, file), file, true)),
    ...lower
      .reverse()
      .flatMap(layer =>
        layerFiles(layer).flatMap(file => given(`solutions/${layer}/${file}`, `#layers/${layer}/${file}`)),
      ),
    ...given("sandbox/kvm/api.ts", "sandbox/kvm/api.ts"),
  ];
}

/** Declarations of one file; of the learner's own layer also those that are not exported. */
export function declarationsIn(text: string, from: string, isOwn: boolean): Declaration[] {
  const source = ts.createSourceFile(basename(from), text, ts.ScriptTarget.ESNext, true);
  return source.statements.flatMap(statement => {
    if (!isOwn && !isExported(statement)) return [];
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.flatMap(one => named(one, "constant", statement));
    }
    if (ts.isFunctionDeclaration(statement)) return named(statement, "function");
    if (ts.isTypeAliasDeclaration(statement)) return named(statement, "type");
    if (ts.isClassDeclaration(statement)) return [...named(statement, "class"), ...members(statement)];
    if (ts.isInterfaceDeclaration(statement))
      return [...named(statement, "interface"), ...members(statement)];
    return [];
  });

  function members(owner: ts.ClassDeclaration | ts.InterfaceDeclaration): Declaration[] {
    const of = owner.name?.text;
    return [...owner.members].flatMap(member => {
      if (ts.isConstructorDeclaration(member)) {
        const fields = member.parameters.filter(one => ts.getModifiers(one)?.length);
        return fields.filter(isVisible).flatMap(one => named(one, "property", one, of));
      }
      if (!isVisible(member)) return [];
      const isMethod = ts.isMethodDeclaration(member) || ts.isMethodSignature(member);
      return named(member, isMethod ? "method" : "property", member, of);
    });
  }

  /** Of other layers nothing private is offered. */
  function isVisible(node: ts.Node & { readonly name?: ts.Node }): boolean {
    const isHidden = ts.canHaveModifiers(node)
      ? ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
      : false;
    return isOwn || !(isHidden || (node.name && ts.isPrivateIdentifier(node.name)));
  }

  function named(
    node: ts.Node & { readonly name?: ts.Node },
    kind: Declaration["kind"],
    commented: ts.Node = node,
    of?: string,
  ): Declaration[] {
    if (!node.name || !(ts.isIdentifier(node.name) || ts.isPrivateIdentifier(node.name))) return [];
    const says = commentOf(commented);
    return [
      {
        name: node.name.text,
        kind,
        ...(of && { of }),
        signature: signatureOf(node),
        ...(says && { says }),
        from,
      },
    ];
  }

  function signatureOf(node: ts.Node): string {
    const line = text
      .slice(node.getStart(source), headEnd(node))
      .replace(/\/\/ #(end)?region.*$/gm, "")
      .replace(/^export /, "")
      .replace(/\s+/g, " ")
      .replace(/[\s{=;,]+$/, "");
    return line.length > 160 ? `${line.slice(0, 159)}…` : line;
  }
}

/** Where the declaration's body begins, or where it ends. */
function headEnd(node: ts.Node): number {
  if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) return node.members.pos;
  const hasBody = ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node);
  return (hasBody && node.body?.getStart()) || node.getEnd();
}

function isExported(node: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

function commentOf(node: ts.Node): string {
  const comment = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc)?.comment;
  const text = typeof comment === "string" ? comment : ts.getTextOfJSDocComment(comment);
  return (text ?? "")
    .split(/\n\s*\n/)[0]!
    .replace(/\s+/g, " ")
    .trim();
}
