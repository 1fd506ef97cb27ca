import { describe, expect, it } from "vitest";
import { coreFiles, filesBelow, type Import, importsOf, named } from "./sources.ts";

const API = "sandbox/kvm/api.ts";

describe("law 1: layers stand on lower layers", () => {
  const layers = filesBelow(["solutions"], [".ts"]).filter(file => !file.endsWith(".test.ts"));

  it("a layer imports only itself, layers with a smaller number, and types from the API", () => {
    const breakers = layers.flatMap(importsOf).filter(one => !isLawful(one));
    expect(breakers.map(named)).toEqual([]);
  });

  it("solutions and the sandbox import no chapter but through #layers", () => {
    const files = filesBelow(["solutions", "sandbox"], [".ts"]);
    const breakers = files.flatMap(importsOf).filter(({ target }) => /^chapters\/\d\d-/.test(target));
    expect(breakers.map(named)).toEqual([]);
  });

  it("the core imports nothing from chapters/, the rim only chapters/tools", () => {
    const breakers = coreFiles()
      .flatMap(importsOf)
      .filter(({ target }) => target.startsWith("chapters/"));
    expect(breakers.map(named)).toEqual([]);
  });
});

describe("law 2: the core is portable", () => {
  it("imports no node: module and no package", () => {
    const breakers = coreFiles()
      .flatMap(importsOf)
      .filter(({ specifier }) => !specifier.startsWith(".") && !specifier.startsWith("#layers/"));
    expect(breakers.map(named)).toEqual([]);
  });

  it("imports no module of the rim", () => {
    const core = new Set(coreFiles());
    const breakers = [...core]
      .flatMap(importsOf)
      .filter(({ specifier, target }) => specifier.startsWith(".") && !core.has(target));
    expect(breakers.map(named)).toEqual([]);
  });
});

describe("law 5: the graded suite runs in a page", () => {
  it("what it stands on imports no node: module", () => {
    const seen = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { specifier, target } of importsOf(file)) if (specifier.startsWith(".")) visit(target);
    };
    visit("chapters/tools/collector.ts");
    const breakers = [...seen].flatMap(importsOf).filter(({ specifier }) => specifier.startsWith("node:"));
    expect(breakers.map(named)).toEqual([]);
  });
});

function isLawful({ file, specifier, target, typeOnly }: Import): boolean {
  const own = file.split("/")[1]!;
  if (target === API) return typeOnly;
  if (target.startsWith(`solutions/${own}/`)) return true;
  const lower = /^#layers\/(\d\d)-[^/]+\/[^/]+\.ts$/.exec(specifier)?.[1];
  return lower !== undefined && Number(lower) < Number(own.slice(0, 2));
}
