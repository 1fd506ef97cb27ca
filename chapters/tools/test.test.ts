import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Clone, type Outcome } from "./clone.ts";

describe("npm test on a project of four bad days", () => {
  let clone: Clone;
  beforeAll(() => {
    clone = new Clone();
    clone.write(
      "sandbox/made-up.test.ts",
      `import { describe, it } from "vitest";
       const options = { skip: true, meta: { skipReason: "no /dev/frobnicator" } };
       describe("a", options, () => { it("x", () => {}); it("y", () => {}); });
       it("noted", ({ skip }) => skip("no time"));
       it.skip("z (skipped: no network)", () => {});
       it("passes", () => {});
       it("fails", () => { throw new Error("on purpose"); });`,
    );
    clone.write(
      "sandbox/made-up-late.test.ts",
      `import { it } from "vitest";
       it("passes", async () => { setTimeout(() => { throw new Error("late"); }, 1); await new Promise(r => setTimeout(r, 50)); });`,
    );
    clone.write("sandbox/made-up-broken.test.ts", `import "./nonesuch.ts";`);
    clone.write(
      "sandbox/made-up-killed.test.ts",
      `import { it } from "vitest"; it("dies", () => void process.kill(process.pid, 9));`,
    );
    clone.write("sandbox/made-up-fine.test.ts", `import { it } from "vitest"; it("passes", () => {});`);
  });
  afterAll(() => clone.delete());

  const lastLines = ({ stdout }: Outcome, count: number) => stdout.trimEnd().split("\n").slice(-count);

  it("counts, gives the reasons of skips, and ends in one line", async () => {
    const outcome = await clone.run("test", "sandbox/made-up.test.ts");
    expect(outcome.code).toBe(1);
    expect(lastLines(outcome, 4)).toEqual([
      "skipped: no /dev/frobnicator (2)",
      "skipped: no network (1)",
      "skipped: no time (1)",
      "tests: 1 passed, 1 failed, 4 skipped",
    ]);
  });

  it("counts an error that nobody caught as a failure", async () => {
    const outcome = await clone.run("test", "made-up-late");
    expect(outcome.code).toBe(1);
    expect(lastLines(outcome, 1)).toEqual(["tests: 1 passed, 1 failed, 0 skipped"]);
  });

  it("counts a file that cannot be loaded as a failure", async () => {
    const outcome = await clone.run("test", "made-up-broken");
    expect(outcome.code).toBe(1);
    expect(lastLines(outcome, 1)).toEqual(["tests: 0 passed, 1 failed, 0 skipped"]);
  });

  it("counts a worker that dies as a failure", async () => {
    const outcome = await clone.run("test", "made-up-killed");
    expect(outcome.code).toBe(1);
    expect(lastLines(outcome, 1)[0]).toMatch(/^tests: 0 passed, [12] failed, 0 skipped$/);
  });

  it("is content when all is well", async () => {
    const outcome = await clone.run("test", "made-up-fine");
    expect(outcome.code).toBe(0);
    expect(lastLines(outcome, 1)).toEqual(["tests: 1 passed, 0 failed, 0 skipped"]);
  });

  it("fails when no file has the word in its path", async () => {
    const outcome = await clone.run("test", "nonesuch-at-all");
    expect(outcome.code).toBe(1);
    expect(lastLines(outcome, 1)).toEqual(["tests: 0 passed, 0 failed, 0 skipped"]);
  });

  it("says in one line that a learner wrote in a starter, and tests the solutions", async () => {
    const path = "chapters/01-minimal-vm/bus.ts";
    const before = clone.read(path);
    clone.write(path, `${before}// mine\n`);
    const outcome = await clone.run("test", "made-up-fine");
    clone.write(path, before);
    expect(outcome.code).toBe(0);
    expect(lastLines(outcome, 2)[0]).toContain(`you wrote in ${path}`);
  });
});
