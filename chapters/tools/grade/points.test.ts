import { describe, expect, it } from "vitest";
import { readChapter } from "../chapters.ts";
import { gradeTask, scalePoints, sumPoints, withPrerequisites } from "./points.ts";
import type { GradedCase, Outcome } from "./result.ts";

const { tasks } = readChapter("06-serial");
const task = tasks.find(({ id }) => id === "transmit")!;
const cases = (...outcomes: Outcome[]): GradedCase[] =>
  outcomes.map((outcome, at) => ({ name: `${at}`, kind: "public", outcome, message: "" }));

describe("points", () => {
  it("are the task's by the share of tests that passed, down to a hundredth", () => {
    expect(task.points).toBe(3);
    expect(gradeTask(task, cases("passed", "passed", "passed")).score).toBe(3);
    expect(gradeTask(task, cases("passed", "failed", "passed")).score).toBe(2);
    expect(gradeTask(task, cases(...Array<Outcome>(6).fill("passed"), "failed")).score).toBe(2.57);
  });

  it("are earned by recorded passes alone", () => {
    expect(gradeTask(task, cases("limit", "not-run", "failed")).score).toBe(0);
    expect(gradeTask(task, []).score, "a task without tests").toBe(0);
  });

  it("add up exactly", () => {
    expect(sumPoints(Array(10).fill(0.1))).toBe(1);
    expect(sumPoints([0.07, 0.01, 20])).toBe(20.08);
  });

  it("are scaled down to a hundredth, and whole by 1", () => {
    expect(scalePoints(1.15, 1)).toBe(1.15);
    expect(scalePoints(20, 0.9)).toBe(18);
    expect(scalePoints(0.07, 0.5)).toBe(0.03);
  });

  it("a task waits for those that it requires and that are not finished", () => {
    const grades = tasks.map(one => gradeTask(one, cases(one.id === "receive" ? "failed" : "passed")));
    const [receive, lineStatus] = ["receive", "line-status"].map(
      id =>
        withPrerequisites(
          tasks,
          grades.map(grade => (grade.id === "line-status" ? { ...grade, score: 0 } : grade)),
        ).find(one => one.id === id)!,
    );
    expect(receive!.waitsFor).toEqual([]);
    expect(lineStatus!.waitsFor).toEqual(["receive"]);
  });
});
