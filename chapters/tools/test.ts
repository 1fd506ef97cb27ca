/**
 * `npm test [words]`: all tests, or those whose path contains a word.
 *
 * Vitest runs as a child, so that even its crash is counted; the last line is always
 * `tests: N passed, N failed, N skipped`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./chapters.ts";
import type { RunCounts } from "./count-reporter.ts";
import { runTool } from "./run-tool.ts";
import { starterFiles } from "./starter-files.ts";

await runTool(() => test(process.argv.slice(2)));

async function test(filters: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-test-"));
  const path = join(folder, "counts.json");
  try {
    const code = await vitest(filters, path);
    const counts = readCounts(path);
    if (!counts) console.log("the test run ended without a result: counted as one failure");
    report(counts ?? { passed: 0, failed: 1, skipped: 0, reasons: {} });
    return code !== 0 || !counts || counts.failed > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function vitest(filters: readonly string[], counts: string): Promise<number> {
  const program = join(ROOT, "node_modules/vitest/vitest.mjs");
  const env = { ...process.env, VMEXIT_COUNTS: counts, VMEXIT_LEARNER: "", VMEXIT_CHAPTER: "" };
  const child = spawn(process.execPath, [program, "run", ...filters], { cwd: ROOT, stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", code => resolve(code ?? 1));
  });
}

function readCounts(path: string): RunCounts | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as RunCounts;
  } catch {
    return undefined;
  }
}

function report({ passed, failed, skipped, reasons }: RunCounts): void {
  const edited = starterFiles().filter(({ state }) => state === "edited");
  if (edited.length > 0) {
    const paths = edited.map(file => file.path).join(", ");
    console.log(
      `note: you wrote in ${paths}; \`npm run chapter N test\` tests that, these tests use the solutions`,
    );
  }
  for (const [reason, count] of Object.entries(reasons).sort()) console.log(`skipped: ${reason} (${count})`);
  console.log(`tests: ${passed} passed, ${failed} failed, ${skipped} skipped`);
}
