import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

/** Chapters whose layers are the learner's in this run, as in "01,02"; the runner sets it. */
const learners = (process.env["VMEXIT_LEARNER"] ?? "").split(",").filter(number => /^\d\d$/.test(number));
const conditions = [...learners.map(number => `learner-${number}`), ...defaultServerConditions];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["{chapters,solutions,sandbox,.vitepress}/**/*.test.ts"],
    exclude: ["**/node_modules/**", ".vitepress/{cache,dist}/**"],
    setupFiles: ["chapters/tools/suite-under-vitest.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
