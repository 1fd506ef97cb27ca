/**
 * Counts what a run of vitest came to, for `npm test`'s last lines, and writes it where it is told.
 *
 * What did not come to a result is a failure: a file that cannot be loaded, a worker that died, an error
 * that nobody caught.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from "vitest/node";

export interface RunCounts {
  passed: number;
  failed: number;
  skipped: number;
  /** How many tests were skipped for which reason. */
  reasons: Record<string, number>;
}

export class CountReporter implements Reporter {
  constructor(private readonly path: string) {}

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    writeFileSync(this.path, JSON.stringify(countRun(modules, errors)));
  }
}

function countRun(modules: readonly TestModule[], errors: readonly SerializedError[]): RunCounts {
  const counts: RunCounts = { passed: 0, failed: errors.length, skipped: 0, reasons: {} };
  for (const module of modules) {
    let failed = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") counts.passed++;
      else if (state === "skipped") {
        counts.skipped++;
        const reason = skipReason(test);
        counts.reasons[reason] = (counts.reasons[reason] ?? 0) + 1;
      } else failed++;
    }
    const broken = module.state() === "failed" && failed === 0;
    counts.failed += broken ? 1 : failed;
  }
  return counts;
}

/** From `requires(…).options`, from `skip("reason")`, or from "skipped: …" in a name. */
function skipReason(test: TestCase): string {
  const result = test.result();
  if (result.state === "skipped" && result.note) return result.note;
  for (
    let entity: TestCase | TestSuite | TestModule = test;
    entity.type !== "module";
    entity = entity.parent
  ) {
    const { skipReason } = entity.meta() as { skipReason?: string };
    const named = skipReason ?? /skipped: (.+?)\)?$/.exec(entity.name)?.[1];
    if (named) return named;
  }
  return test.options.mode === "todo"
    ? "not written yet"
    : `without a reason: ${test.module.relativeModuleId}`;
}
