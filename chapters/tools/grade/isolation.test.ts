import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chooseIsolation, HOLES, LEVELS, nodeArguments, probe } from "./isolation.ts";

describe("the levels of isolation", () => {
  it("tell what gets through, and the README tells the same", () => {
    const text = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
    for (const level of LEVELS) {
      expect(HOLES[level].length).toBeGreaterThan(0);
      for (const hole of HOLES[level]) expect(text).toContain(`- \`${level}\`: ${hole}`);
    }
  });

  it("refuse to sink below what is asked for", () => {
    const missing = LEVELS.find(level => probe(level) !== "");
    if (missing) expect(() => chooseIsolation(missing, missing)).toThrow(/so nothing is graded/);
    const { level } = chooseIsolation("node");
    expect(probe(level)).toBe("");
    expect(LEVELS.indexOf(chooseIsolation(level).level)).toBeGreaterThanOrEqual(LEVELS.indexOf(level));
  });

  it("use the flag that each version of Node has", () => {
    expect(nodeArguments("/box", false, "20.19.0")).toContain("--experimental-permission");
    expect(nodeArguments("/box", false, "24.1.0")).toContain("--permission");
    expect(nodeArguments("/box")).toContain("--allow-fs-read=/box/*");
  });
});
