import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { partOf } from "../markdown/regions.ts";
import { firstSentence, layerFacts } from "./layers.ts";

const ROOT = join(import.meta.dirname, "../..");
const layers = layerFacts();

describe("what a chapter adds", () => {
  it("names every file of every layer once", () => {
    const files = readdirSync(join(ROOT, "solutions"), { recursive: true, encoding: "utf8" })
      .filter(name => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .map(name => `solutions/${name.replaceAll("\\", "/")}`);
    expect(layers.flatMap(layer => layer.files.map(({ path }) => path)).sort()).toEqual(files.sort());
  });

  it("makes each chapter’s machine out of the one before", () => {
    for (const { number, change } of layers.slice(1)) {
      const [before, after] = [number - 2, number - 1].map(index => {
        const path = `chapters/${layers[index]!.files[0]!.path.split("/")[1]}/machine.ts`;
        return partOf(readFileSync(join(ROOT, path), "utf8"), "machine", path).split("\n");
      });
      const kept = (sign: string) => change.filter(line => line[0] === sign).map(line => line.slice(1));
      for (const line of kept("+")) expect(after).toContain(line);
      for (const line of kept("-")) expect(before).toContain(line);
      expect(before!.length - kept("-").length).toBe(after!.length - kept("+").length);
      expect(kept("+").length, `chapter ${number}`).toBeGreaterThan(0);
    }
  });

  it("says what a file is by its first sentence", () => {
    expect(firstSentence("/**\n * ELF for x86: where\n * to begin. Source: TIS.\n *\n * More.\n */\n")).toBe(
      "ELF for x86: where to begin.",
    );
    expect(firstSentence("/** Segments that cover all 4 GiB. */")).toBe("Segments that cover all 4 GiB.");
    expect(() => firstSentence("const x = 1;")).toThrow("begins with what it is");
  });
});
