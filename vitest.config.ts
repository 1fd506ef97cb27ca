import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{chapters,solutions,sandbox}/**/*.test.ts"],
    testTimeout: 60_000,
  },
});
