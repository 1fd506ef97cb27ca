import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as hot from "./hot.ts";

const FORMS: Readonly<Record<string, number>> = { ...hot };
/** Not arms of their own: bounds and the first of a row. */
const NOT_ARMS = new Set(["FIRST_MEMORY", "JCC"]);

describe("the interpreter's switch", () => {
  const source = readFileSync(new URL("./interpreter.ts", import.meta.url), "utf8");
  const arms = [...source.matchAll(/case \/\* (\w+)(?: \+ (\d+))? \*\/ (\d+):/g)].map(
    ([, name, plus, number]) => ({
      name: name!,
      plus: Number(plus ?? 0),
      number: Number(number),
    }),
  );

  it("has numbers that are those of the names beside them", () => {
    for (const { name, plus, number } of arms) expect(number, name).toBe(FORMS[name]! + plus);
  });

  it("has one arm for every hot form", () => {
    const numbers = arms.map(({ number }) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
    const missing = Object.keys(FORMS).filter(name => !NOT_ARMS.has(name) && !numbers.includes(FORMS[name]!));
    expect(missing).toEqual([]);
    for (let code = 0; code < 16; code++) expect(numbers).toContain(hot.JCC + code);
  });
});
