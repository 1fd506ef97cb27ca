import { describe, expect, it } from "vitest";
import { readChapters } from "../../chapters/tools/chapters.ts";
import { declarationsFor, declarationsIn } from "./declarations.ts";

const FILE = `
/** An access that nobody answers. */
export class AccessError extends Error {
  constructor(readonly address: number, problem: string) {
    super(problem);
  }
}

/**
 * Two words.
 *
 * More of it.
 */
export class Pair {
  readonly #first: number = 1;
  /** Their sum. */
  sum(other: Pair): number {
    return this.#first + other.#first;
  }
}

export const LIMIT = 0x10, other = 2;
const hidden = 3;
export type Width = 8 | 16;
function half(value: number) { return value / 2; }
`;

describe("declarations", () => {
  it("have signatures without bodies and the first paragraph of their comment", () => {
    const found = declarationsIn(FILE, "pair.ts", true);
    expect(found).toContainEqual({
      name: "sum",
      kind: "method",
      of: "Pair",
      signature: "sum(other: Pair): number",
      says: "Their sum.",
      from: "pair.ts",
    });
    expect(found).toContainEqual({
      name: "Pair",
      kind: "class",
      signature: "class Pair",
      says: "Two words.",
      from: "pair.ts",
    });
    expect(found.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["address", "#first", "LIMIT", "other", "hidden", "Width", "half"]),
    );
  });

  it("of another layer are only what it exports and shows", () => {
    const names = declarationsIn(FILE, "#layers/01-pair/pair.ts", false).map(({ name }) => name);
    expect(names).toEqual(["AccessError", "address", "Pair", "sum", "LIMIT", "other", "Width"]);
  });

  it("of a chapter have its own layer, those below and the API, and none above", () => {
    const from = new Set(declarationsFor("04-interrupts").map(one => one.from));
    expect([...from]).toEqual(expect.arrayContaining(["pic.ts", "#layers/01-minimal-vm/bus.ts"]));
    expect([...from].filter(file => /#layers\/0[5-9]/.test(file))).toEqual([]);
    expect(from).toContain("sandbox/kvm/api.ts");
  });

  it("never show what stands in an exercise", () => {
    for (const { name, tasks } of readChapters()) {
      expect(tasks.length).toBeGreaterThan(0);
      for (const { signature } of declarationsFor(name)) expect(signature).not.toContain("exercise-");
    }
  });
});
