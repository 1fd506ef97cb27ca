import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { afterAll, expect, it } from "vitest";
import { ROOT, readChapters } from "../chapters.ts";
import { gradescopeZip } from "./gradescope-zip.ts";

const base = mkdtempSync(join(tmpdir(), "vmexit-gradescope-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

it("grades where it was unpacked, and writes a results.json only when there is a grade", () => {
  const chapters = readChapters().filter(({ number }) => number === 5);
  for (const [path, bytes] of Object.entries(unzipSync(gradescopeZip(chapters, "term")))) {
    mkdirSync(dirname(join(base, "source", path)), { recursive: true });
    writeFileSync(join(base, "source", path), bytes);
  }
  symlinkSync(join(ROOT, "node_modules"), join(base, "source/vmexit/node_modules"));
  writeFileSync(join(base, "submission_metadata.json"), JSON.stringify({ users: [{ id: 4711 }] }));
  const submission = join(base, "submission");
  const results = join(base, "results/results.json");
  mkdirSync(submission);
  const program = join(base, "source/run_autograder");
  chmodSync(program, 0o755);
  const run = () => spawnSync(program, { env: { ...process.env, AUTOGRADER: base }, encoding: "utf8" });

  writeFileSync(join(submission, "essay.txt"), "I could not do it.");
  expect(run().status, "ungradable is shown, without a score").toBe(0);
  expect(JSON.parse(readFileSync(results, "utf8"))).not.toHaveProperty("score");

  for (const file of ["pit.ts", "counter.ts", "alarm.ts"]) {
    writeFileSync(join(submission, file), readFileSync(join(ROOT, "solutions/05-pit", file)));
  }
  expect(run().stdout.trim().split("\n").at(-1)).toBe("Score: 20/20");
  expect(JSON.parse(readFileSync(results, "utf8"))).toMatchObject({ score: 20, stdout_visibility: "hidden" });

  rmSync(results);
  rmSync(join(base, "source/vmexit/solutions/05-pit/counter.ts"));
  expect(run().status, "a grader that fails gives no score").not.toBe(0);
  expect(existsSync(results)).toBe(false);
}, 300_000);
