/** What grading owes to a submission: exact points for typical mistakes, and three kinds of "no points". */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readChapters } from "../chapters.ts";
import { gradedTests } from "../graded-files.ts";
import { failureOf } from "../graded-test.ts";
import { layerWithMistake, layerWithout, starterLayer } from "../layer-variants.ts";
import { DirectBackend, type SubjectFunctions } from "../subject.ts";
import { checkBench, GraderError, setUpBench } from "./bench.ts";
import { type Bench, gradeSubmission } from "./grading.ts";
import { inParallel } from "./in-parallel.ts";
import { chooseIsolation } from "./isolation.ts";
import type { GradeResult, TaskGrade } from "./result.ts";
import { ownSubmission, submissionOf } from "./submission.ts";

const chapters = readChapters();
const timer = chapters.find(({ number }) => number === 5)!;
const benches = new Map<string, Bench>();
afterAll(() => benches.forEach(({ boxes }) => void boxes.close()));

const tasksOf = (result: GradeResult): TaskGrade[] => result.chapters.flatMap(({ tasks }) => tasks);

for (const chapter of chapters) {
  describe(chapter.name, () => {
    let bench: Bench;
    const reference = ownSubmission([chapter], "solutions").files;
    const grade = (id: string, files: ReadonlyMap<string, string>) => {
      return gradeSubmission(bench, submissionOf(id, new Map([...reference, ...files])), "seed");
    };
    beforeAll(async () => {
      bench = await checkBench(await setUpBench([chapter], chooseIsolation()), "seed");
      benches.set(chapter.name, bench);
    });

    it("the starter earns nothing", async () => {
      const { status, score } = await grade("starter", starterLayer(chapter));
      expect({ status, score }).toEqual({ status: "graded", score: 0 });
    });

    it("every typical mistake loses the share of the tests that it fails, the named one among them", async () => {
      const lost = await inParallel(chapter.mistakes, 2, async mistake => {
        const result = await grade(mistake.id, layerWithMistake(chapter, mistake));
        const [task, name] = mistake.caughtBy.split(" › ");
        const named = tasksOf(result)
          .find(({ id }) => id === task)!
          .tests.find(test => test.name === name)!;
        expect(named.outcome, mistake.id).not.toBe("passed");
        return [mistake.id, Math.round(100 * (result.max - result.score!)) / 100, ...lostBy(result)];
      });
      await expect(`${lost.map(row => row.join("  ")).join("\n")}\n`).toMatchFileSnapshot(
        `mutants-${chapter.name}.txt`,
      );
    }, 600_000);

    it("a task that is not written loses its points, and those that stand on it tell so", async () => {
      const [task] = chapter.tasks;
      const result = await grade("one-hole", layerWithout(chapter, task!));
      const grades = tasksOf(result);
      expect(grades.find(({ id }) => id === task!.id)!.score).toBe(0);
      for (const other of grades.filter(({ score, max }) => score < max)) {
        const requires = chapter.tasks.find(({ id }) => id === other.id)!.requires;
        if (requires.includes(task!.id)) expect(other.waitsFor).toContain(task!.id);
      }
    });
  });
}

it("no answer that says nothing passes any test of any chapter", async () => {
  for (const chapter of readChapters()) {
    const tests = await gradedTests(chapter);
    const path = `../../${chapter.name}/subject.ts`;
    const reference = new DirectBackend(((await import(path)) as { subject: SubjectFunctions }).subject);
    for (const nothing of [null, undefined, [], {}, "", 0, true, { results: [] }, [[]], { length: 0 }]) {
      const backend = { call: async () => nothing, close: async () => {} };
      for (const test of tests) {
        const failure = await failureOf(test, backend, { reference });
        expect(
          failure,
          `${chapter.name} ${test.task.id} › ${test.name}: ${JSON.stringify(nothing)}`,
        ).toBeDefined();
      }
    }
  }
}, 300_000);

/** "task 1.5 of 2", for the tasks that lost something. */
function lostBy(result: GradeResult): string[] {
  return tasksOf(result)
    .filter(({ score, max }) => score < max)
    .map(({ id, score, max }) => `${id} ${score} of ${max}`);
}

const THROWS = "export class Pit {} export const pulsesAt = 0, timeOfPulse = 0; throw new Error('early');";

describe("three kinds of no points", () => {
  const bench = () => benches.get(timer.name)!;

  it("zero: it does not translate, or does not load, and says where", async () => {
    const broken = await gradeSubmission(
      bench(),
      submissionOf("a", new Map([["05-pit/pit.ts", "export clas"]])),
      "s",
    );
    expect(broken).toMatchObject({ status: "graded", score: 0 });
    expect(broken.chapters[0]).toMatchObject({
      state: "does-not-translate",
      reason: expect.stringContaining("05-pit/pit.ts:1:8"),
    });
    const throwing = await gradeSubmission(
      bench(),
      submissionOf("b", new Map([["05-pit/pit.ts", THROWS]])),
      "s",
    );
    expect(throwing.chapters[0]).toMatchObject({
      state: "does-not-load",
      reason: expect.stringContaining("Error: early"),
    });
  });

  it("ungradable: there is nothing of the chapter", async () => {
    const result = await gradeSubmission(bench(), submissionOf("c", new Map()), "s");
    expect(result).toMatchObject({ status: "ungradable", score: null, reason: "it has no file of 05-pit" });
  });

  it("error: no process starts", async () => {
    const isolation = { level: "node" as const, command: () => ({ file: "/nonexistent", args: [] }) };
    const files = ownSubmission([timer], "solutions").files;
    const result = await gradeSubmission({ ...bench(), isolation }, submissionOf("d", files), "s");
    expect(result).toMatchObject({
      status: "error",
      score: null,
      reason: expect.stringContaining("did not start"),
    });
    await expect(checkBench({ ...bench(), isolation }, "s")).rejects.toThrow(GraderError);
  });
});
