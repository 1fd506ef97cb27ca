import { expect, it } from "vitest";
import { guardLoops } from "./guard-loops.ts";
import { turn } from "./turn-of-loop.ts";

/** What the statements return, with their loops guarded. */
function run(statements: string, $turn = turn): unknown {
  const guarded = guardLoops(`(() => { ${statements} })()`, "loops");
  expect(guarded).toContain("$turn(");
  const [code] = guarded.split("\nimport ");
  return new Function("$turn", `return ${code}`)($turn);
}

it.each([
  ["for", "let n = 0; for (let i = 0; i < 200; i++) n += i; return n", 19_900],
  ["a block", "let n = 0; for (let i = 0; i < 200; i++) { n += i; } return n", 19_900],
  ["for of", "let n = 0; for (const i of [1, 2, 3]) n += i; return n", 6],
  ["for in", "let n = ''; for (const i in { a: 1, b: 2 }) n += i; return n", "ab"],
  ["while", "let n = 0; while (n < 100) n++; return n", 100],
  ["do", "let n = 0; do n++; while (n < 100); return n", 100],
  ["do with a block", "let n = 0; do { n++ } while (n < 100); return n", 100],
  ["an empty body", "let n = 0; for (; n < 100; n++); return n", 100],
  ["a branch", "let n = 0; if (n === 0) while (n < 9) n++; else n = 7; return n", 9],
  [
    "nested",
    "let n = 0; for (let i = 0; i < 9; i++) for (let k = 0; k < 9; k++) if (k > i) n++; return n",
    36,
  ],
  [
    "labels",
    "let n = 0; outer: inner: for (;;) { for (;;) { if (++n > 5) break outer; continue outer; } } return n",
    6,
  ],
  [
    "a loop in a loop's head",
    "let n = 0; for (const f = () => { while (n < 4) n++; return n; }; f() < 4; ); return n",
    4,
  ],
  ["a generator", "return [...(function* () { for (let i = 0; i < 3; i++) yield i; })()].join()", "0,1,2"],
])("a loop does what it did: %s", (_, statements, result) => {
  expect(run(statements)).toBe(result);
});

it("looks at the clock once in 64 turns, and knows each run of a loop apart", () => {
  const seen: unknown[] = [];
  const look = ((loop: unknown) => {
    seen.push(loop);
    return { last: 0, taken: 0, looks: seen.length };
  }) as typeof turn;
  run("for (let i = 0; i < 2; i++) for (let k = 0; k < 130; k++);", look);
  expect(seen).toEqual([
    undefined,
    expect.objectContaining({ looks: 1 }),
    undefined,
    expect.objectContaining({ looks: 3 }),
  ]);
});

it("throws in a loop that goes on for too long, and tells how often it went round", () => {
  expect(() => run("for (;;);")).toThrow(
    /^this loop has gone round [\d,]+ times and has not ended: does it ever\?$/,
  );
});

it("leaves what is no JavaScript, and what has no loops, as it is", () => {
  for (const code of ["const = 7; for (;;) {", "export const a = 1;"])
    expect(guardLoops(code, "loops")).toBe(code);
});
