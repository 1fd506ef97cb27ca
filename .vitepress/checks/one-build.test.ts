import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildOnce } from "./one-build.ts";

let folder: string;
let builds: number;
const build = async () => {
  await new Promise(resolve => setImmediate(resolve));
  builds++;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vmexit-build-"));
  writeFileSync(join(folder, "source"), "one");
  builds = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const run = (how = build) => buildOnce(join(folder, "site"), [join(folder, "source")], how);

it("builds once for many who ask at the same time", async () => {
  await Promise.all([run(), run(), run()]);
  expect(builds).toBe(1);
});

it("builds again when a source has changed", async () => {
  await run();
  writeFileSync(join(folder, "source"), "two and more");
  await run();
  expect(builds).toBe(2);
});

it("builds again after a build that failed", async () => {
  await expect(run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await run();
  expect(builds).toBe(1);
});

it("does not wait for a process that has died", async () => {
  writeFileSync(join(folder, "site.lock"), "4194305");
  await run();
  expect(builds).toBe(1);
});
