/**
 * The reference without its source: what runs, made small and unreadable by esbuild, and beside it the
 * declarations, so that an editor still knows the types and the doc comments of the layers below.
 */
import { join, relative } from "node:path";
import { transform } from "esbuild";
import ts from "typescript";
import { ROOT } from "../chapters.ts";

const NOTE = "// The reference's layer, closed: this edition holds its source back.\n// @ts-nocheck\n";

/** One layer file as a module of the same name with the same imports and exports. */
export async function closedLayer(source: string): Promise<string> {
  const { code } = await transform(source, {
    loader: "ts",
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
  });
  return `${NOTE}${code}`;
}

/** Declarations of layer files, by the same paths below `types/` instead of `solutions/`. */
export function layerTypes(files: readonly string[]): Map<string, string> {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), path => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent({ ...config, files, include: undefined }, ts.sys, ROOT);
  const program = ts.createProgram(
    files.map(file => join(ROOT, file)),
    {
      ...options,
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      incremental: false,
      tsBuildInfoFile: undefined,
      noCheck: true,
      outDir: undefined,
    },
  );
  const declarations = new Map<string, string>();
  program.emit(
    undefined,
    (path, text) => {
      const file = relative(ROOT, path).replaceAll("\\", "/");
      if (file.startsWith("solutions/"))
        declarations.set(file.replace(/^solutions\//, "types/").replace(/\.d\.ts$/, ".ts"), text);
    },
    undefined,
    true,
  );
  return declarations;
}
