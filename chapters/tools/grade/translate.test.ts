import { describe, expect, it } from "vitest";
import { TranslationError, translate } from "./translate.ts";

async function moduleOf(text: string): Promise<string> {
  const { modules } = await translate("05-pit", new Map([["pit.ts", text]]));
  return modules.get("05-pit/mine/pit.mjs")!;
}

describe("the translation of a submission", () => {
  it("finds its own layer and lower ones, each at its place in the box", async () => {
    const text = await moduleOf(
      `import { Alarm } from "./alarm.ts"; import { Counter } from "#layers/05-pit/counter.ts";
       import { Bus } from "#layers/01-minimal-vm/bus.ts"; export const all = [Alarm, Counter, Bus];`,
    );
    expect([...text.matchAll(/from "([^"]+)"/g)].map(([, path]) => path)).toEqual([
      "./alarm.mjs",
      "./counter.mjs",
      "../ground/01-minimal-vm.bus.mjs",
    ]);
  });

  it("leaves no way to import anything else", async () => {
    const text = await moduleOf(
      `import fs from "node:fs"; import koffi from "koffi"; import "#layers/06-serial/uart.ts";
       import hidden from "../../chapters/05-pit/hidden/a.test.ts"; import json from "/etc/passwd" with { type: "json" };
       const name = "node:" + "fs";
       export const all = [fs, koffi, hidden, json, () => import(name), () => import("node:fs"), () => require("fs")];`,
    );
    expect(text).not.toMatch(/\bimport\s*\(|^import /m);
    expect(text).not.toContain("root:");
  });

  it("reads no source map that a file names, and no configuration", async () => {
    const text = await moduleOf(`export const a = <T,>(b: T) => b; //# sourceMappingURL=/etc/passwd`);
    expect(text).toContain("export");
  });

  it("says where a file is no TypeScript", async () => {
    const problem = translate("05-pit", new Map([["pit.ts", "export const a = 1;\nexport clas"]]));
    await expect(problem).rejects.toThrow(TranslationError);
    await expect(problem).rejects.toThrow(/^05-pit\/pit\.ts:2:8: /);
  });

  it("survives a file that is nothing but brackets", async () => {
    await expect(moduleOf(`export const a = ${"[".repeat(60_000)}`)).rejects.toThrow(TranslationError);
    expect(await moduleOf("export const a = 1;"), "and translates the next one").toContain("a = 1");
  });
});
