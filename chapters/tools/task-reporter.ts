/** After `npm run chapter N test`: the chapter's tasks, done and not, with their points. */
import type { Reporter, TestModule } from "vitest/node";
import type { Chapter } from "./chapter-manifest.ts";

export class TaskReporter implements Reporter {
  constructor(private readonly chapter: Chapter) {}

  onTestRunEnd(modules: readonly TestModule[]): void {
    const { tasks, number } = this.chapter;
    const lines = [];
    let points = 0;
    for (const { id, title, points: worth } of tasks) {
      const states = modules
        .flatMap(module => [...module.children.suites()])
        .filter(suite => suite.name === id)
        .flatMap(suite => [...suite.children.allTests()])
        .map(test => test.result().state);
      const passed = states.filter(state => state === "passed").length;
      const done = states.length > 0 && passed === states.length;
      if (done) points += worth;
      const count = `${passed}/${states.length} tests`;
      lines.push(`  ${done ? "✓" : "·"} ${id.padEnd(18)}${count.padEnd(13)}${worth} points  ${title}`);
    }
    const all = tasks.reduce((sum, task) => sum + task.points, 0);
    console.log(`\nchapter ${number}: ${points} of ${all} points\n${lines.join("\n")}`);
  }
}
