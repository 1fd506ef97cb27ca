/**
 * One build of the site for all test files that look at it: they run in processes of their own, at the same time
 * and in any order. Whoever comes first builds, the others wait; who comes when nothing has changed since uses
 * what is there.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const LOOK_AGAIN = 250;
/** What the build writes, and what only looks at it. */
const NO_PART_OF_IT = /[\\/]\.vitepress[\\/](cache|dist|\.temp|checks|.*\.test\.ts$)/;

/** Calls `build` unless `folder` was built from these very `sources`; only one process at a time does. */
export async function buildOnce(
  folder: string,
  sources: readonly string[],
  build: () => Promise<void>,
): Promise<void> {
  const lock = `${folder}.lock`;
  const stamp = `${folder}.stamp`;
  mkdirSync(dirname(folder), { recursive: true });
  while (!taken(lock)) await sleep(LOOK_AGAIN);
  try {
    const state = fingerprint(sources);
    if (read(stamp) === state) return;
    rmSync(stamp, { force: true });
    await build();
    writeFileSync(stamp, state);
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Whether the lock is now ours; one whose process has died is nobody's. */
function taken(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    const owner = Number(read(lock));
    if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Names, sizes and times of change of all files below `sources`. */
function fingerprint(sources: readonly string[]): string {
  const hash = createHash("sha256");
  for (const source of sources) {
    const files = statSync(source).isDirectory()
      ? readdirSync(source, { recursive: true, encoding: "utf8" })
          .map(name => join(source, name))
          .filter(path => !NO_PART_OF_IT.test(path))
          .sort()
      : [source];
    for (const file of files) {
      const facts = statSync(file, { throwIfNoEntry: false });
      if (facts?.isFile()) hash.update(`${file} ${facts.size} ${facts.mtimeMs}\n`);
    }
  }
  return hash.digest("hex");
}
