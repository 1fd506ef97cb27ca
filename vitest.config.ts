import { availableParallelism } from "node:os";
import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";
import type { Reporter } from "vitest/node";
import { readChapter } from "./chapters/tools/chapters.ts";
import { CountReporter } from "./chapters/tools/count-reporter.ts";
import { TaskReporter } from "./chapters/tools/task-reporter.ts";

/** Chapters whose layers are the learner's in this run, as in "01,02"; the runner sets it. */
const learners = (process.env["VMEXIT_LEARNER"] ?? "").split(",").filter(number => /^\d\d$/.test(number));
const conditions = [...learners.map(number => `learner-${number}`), ...defaultServerConditions];

/** A learner's run has the tests that the book shows; the others are the grader's. */
const graders = process.env["VMEXIT_CHAPTER"] ? ["chapters/*/{hidden,seeded}/**"] : [];

/** What is printed or written after the run: `npm test` wants counts, `npm run chapter N test` tasks. */
const closing: Reporter[] = [];
if (process.env["VMEXIT_COUNTS"]) closing.push(new CountReporter(process.env["VMEXIT_COUNTS"]));
if (process.env["VMEXIT_CHAPTER"]) closing.push(new TaskReporter(readChapter(process.env["VMEXIT_CHAPTER"])));

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["{chapters,solutions,sandbox,.vitepress}/**/*.test.ts"],
    exclude: ["**/node_modules/**", ".vitepress/{cache,dist}/**", ...graders],
    setupFiles: ["chapters/tools/suite-under-vitest.ts"],
    reporters: ["default", ...closing],
    // Many tests wait for a browser, an emulator or another process: one worker a processor, none left free.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
