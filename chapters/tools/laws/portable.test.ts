import { join, relative } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { ROOT } from "../chapters.ts";
import { coreFiles } from "./sources.ts";

it("law 2: the core type-checks without Node's and the DOM's globals", () => {
  const globals = join(ROOT, "chapters/tools/laws/portable-globals.d.ts");
  const program = ts.createProgram([...coreFiles().map(file => join(ROOT, file)), globals], {
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts"],
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  });
  const found = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file ? relative(ROOT, file.fileName) : ""}:${line} ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
  expect(found).toEqual([]);
});
