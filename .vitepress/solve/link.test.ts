import { describe, expect, it } from "vitest";
import { LearnerSyntaxError, withoutTypes } from "./learner-modules.ts";
import { link } from "./link.ts";

/** Modules whose names are their specifiers, placed at data: URLs, which Node and every browser can import. */
function linked(modules: Record<string, string>, entry = "entry"): Promise<string> {
  return link(entry, {
    modules: new Map(Object.entries(modules)),
    resolve: specifier => specifier,
    place: code => `data:text/javascript,${encodeURIComponent(code)}`,
  });
}

describe("link", () => {
  it("gives each import the place of its module, once for all who import it", async () => {
    const url = await linked({
      entry: 'import { a } from "a"; import { count } from "leaf"; export const sum = [a, count()];',
      a: 'import { count } from "leaf"; export const a = count();',
      leaf: "let calls = 0; export const count = () => ++calls;",
    });
    expect(await import(url)).toMatchObject({ sum: [1, 2] });
  });

  it("handles re-exports, and leaves text and comments alone that only look like imports", async () => {
    const url = await linked({
      entry: 'export { one } from "a"; export const text = `import "nothing"`; // import "nothing"',
      a: "export const one = 1;",
    });
    expect(await import(url)).toMatchObject({ one: 1, text: 'import "nothing"' });
  });

  it("handles import() of a module by its name, and leaves what is only known later", async () => {
    const url = await linked({
      entry: 'export const leaf = await import("leaf"); export const later = name => import(name);',
      leaf: "export const one = 1;",
    });
    const { leaf, later } = (await import(url)) as { leaf: object; later(name: string): Promise<object> };
    expect(leaf).toMatchObject({ one: 1 });
    expect(await later("data:text/javascript,export const two = 2")).toMatchObject({ two: 2 });
  });

  it("says which files import each other in a circle", async () => {
    const circle = linked({ entry: 'import "a.ts";', "a.ts": 'import "b.ts";', "b.ts": 'import "a.ts";' });
    await expect(circle).rejects.toThrow("a.ts → b.ts → a.ts: these files import each other in a circle");
  });

  it("says which import leads nowhere", async () => {
    await expect(linked({ entry: 'import fs from "node:fs";' })).rejects.toThrow(
      "entry imports “node:fs”, which is none of the files that a layer can import",
    );
  });
});

describe("withoutTypes", () => {
  it("keeps every line where it is", () => {
    const text = [
      "interface Port {",
      "  read(offset: number): number;",
      "}",
      "export class Device implements Port {",
      "  #level = 0;",
      "  constructor(readonly name: string) {}",
      "  read(offset: number): number {",
      "    return (this.#level as number) + offset;",
      "  }",
      "}",
    ].join("\n");
    const lines = withoutTypes("06-serial", "device.ts", text).split("\n");
    expect(lines).toHaveLength(10);
    expect(lines[7]).toContain("return (this.#level ) + offset;");
  });

  it("says in which line a file is no TypeScript", () => {
    try {
      withoutTypes("01-minimal-vm", "bus.ts", "export const a = 1;\nexport const = 2;\n");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(LearnerSyntaxError);
      expect(error).toMatchObject({
        place: { chapter: "01-minimal-vm", file: "bus.ts", line: 2 },
        message: "bus.ts, line 2: Unexpected token.",
      });
    }
  });
});
