/** From outcomes to points. Counted in hundredths of a point, so that totals are sums, exactly. */
import type { Task } from "../chapter-manifest.ts";
import type { GradedCase, TaskGrade } from "./result.ts";

const HUNDREDTHS = 100;

/**
 * A task's grade from its tests: its points by the share that passed, down to a hundredth. A test that is
 * not recorded as passed counts as failed, and a task without tests earns nothing.
 */
export function gradeTask(task: Task, tests: readonly GradedCase[]): TaskGrade {
  const passed = tests.filter(({ outcome }) => outcome === "passed").length;
  const hundredths = tests.length === 0 ? 0 : Math.floor((task.points * HUNDREDTHS * passed) / tests.length);
  return {
    id: task.id,
    title: task.title,
    score: hundredths / HUNDREDTHS,
    max: task.points,
    waitsFor: [],
    tests,
  };
}

/** Notes, in each task that is not finished itself, which of those that it requires are not. */
export function withPrerequisites(tasks: readonly Task[], grades: readonly TaskGrade[]): TaskGrade[] {
  const unfinished = new Set(grades.filter(({ score, max }) => score < max).map(({ id }) => id));
  return grades.map(grade => {
    const requires = tasks.find(({ id }) => id === grade.id)?.requires ?? [];
    const waitsFor = unfinished.has(grade.id) ? requires.filter(id => unfinished.has(id)) : [];
    return { ...grade, waitsFor };
  });
}

/** The sum of points, exactly. */
export function sumPoints(points: readonly number[]): number {
  return points.reduce((sum, one) => sum + Math.round(one * HUNDREDTHS), 0) / HUNDREDTHS;
}

/** Points by a factor from 0 to 1, down to a hundredth. */
export function scalePoints(points: number, factor: number): number {
  // The small number takes back what the product of two decimals may lack.
  return Math.floor(points * HUNDREDTHS * factor + 1e-6) / HUNDREDTHS;
}
