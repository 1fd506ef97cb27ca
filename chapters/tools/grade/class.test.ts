/** A class from its folder to its tables: names, forms, broken archives, lateness, resuming, shards. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readChapters } from "../chapters.ts";
import { checkBench, setUpBench } from "./bench.ts";
import { sourcesIn } from "./class-folder.ts";
import { className, commonPrefix } from "./class-names.ts";
import { classTable, progressLine } from "./class-report.ts";
import { type ClassWish, gradeClass, mergeShards, withoutTime } from "./class-run.ts";
import type { Bench } from "./grading.ts";
import { chooseIsolation } from "./isolation.ts";
import { withLateness } from "./late.ts";
import { readFiles } from "./read-files.ts";
import type { GradeResult } from "./result.ts";
import { type Sample, writeSamples } from "./sample.ts";
import { FULL, UNGRADABLE } from "./sample-results.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-class-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const chapters = readChapters().filter(({ number }) => number === 6);
const ALLOWED = ["05-pit/pit.ts", "06-serial/registers.ts", "02-real-mode/registers.ts"];

describe("names", () => {
  it.each([
    ["doejane_4711_815_pit.ts", "doejane_4711", "doejane", "4711"],
    ["doejane_LATE_4711_816_work-2.zip", "doejane_4711", "doejane", "4711"],
    ["Jané Doe_12_assignsubmission_file_", "Jané-Doe_12", "Jané Doe", "12"],
    ["Jane Doe_12_assignsubmission_file_work.zip", "Jane-Doe_12", "Jane Doe", "12"],
    ["pit-lab-ada", "pit-lab-ada", "ada", ""],
    ["../../etc", "etc", "../../etc", ""],
  ])("%s", (entry, id, name, userId) => {
    expect(className(entry, "pit-lab-")).toMatchObject({ id, name, userId });
  });

  it("GitHub Classroom's folders share the assignment's name", () => {
    expect(commonPrefix(["pit-lab-ada", "pit-lab-adam", "pit-lab-grace"])).toBe("pit-lab-");
    expect(commonPrefix(["one"])).toBe("");
  });
});

describe("files", () => {
  const tree = (name: string, files: Record<string, string>) => {
    const root = join(folder, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  };

  it("are found at their place or by their name, and never in the reference or in packages", async () => {
    const root = tree("found", {
      "work/chapters/06-serial/registers.ts": "a",
      "work/solutions/06-serial/registers.ts": "b",
      "work/node_modules/x/pit.ts": "c",
      "pit.ts": "d\r\n",
    });
    expect(await readFiles(root, ALLOWED)).toEqual({
      files: new Map([
        ["05-pit/pit.ts", "d\n"],
        ["06-serial/registers.ts", "a"],
      ]),
    });
  });

  it.each([
    ["two that differ", { "a/pit.ts": "1", "b/pit.ts": "2" }, "both 05-pit/pit.ts, and differ"],
    ["one that may be of two layers", { "registers.ts": "1" }, "hand it in with its folder"],
    ["one that is too large", { "pit.ts": "x".repeat(0x2_0001) }, "more than 128 KiB"],
  ])("are a problem: %s", async (name, files, problem) => {
    expect(await readFiles(tree(name, files), ALLOWED)).toEqual({
      problem: expect.stringContaining(problem),
    });
  });

  it("follow no link", async () => {
    const root = tree("linked", { "README.md": "" });
    writeFileSync(join(folder, "secret"), "secret");
    symlinkSync(join(folder, "secret"), join(root, "pit.ts"));
    expect(await readFiles(root, ALLOWED)).toEqual({ problem: "pit.ts is a link and no file" });
  });

  it("that are no text are a problem", async () => {
    writeFileSync(join(folder, "binary.zip"), zipSync({ "pit.ts": Uint8Array.of(0xc3, 0x28) }));
    expect(await readFiles(join(folder, "binary.zip"), ALLOWED)).toEqual({
      problem: "pit.ts is no text in UTF-8",
    });
  });
});

describe("lateness", () => {
  const policy = {
    due: "2026-10-01T12:00:00Z",
    graceMinutes: 15,
    perDay: 0.25,
    lowest: 0.3,
    extensions: { kim: "2026-10-09T12:00:00Z" },
  };
  const at = (time: string, result: GradeResult = FULL) => withLateness(result, time, policy);

  it("costs a share for each day begun, after the grace, and no more than it may", () => {
    expect(at("2026-10-01T12:15:00Z")).toBe(FULL);
    expect(at("2026-10-01T12:15:01Z")).toMatchObject({
      score: 1.5,
      late: { daysLate: 1, factor: 0.75, scoreBefore: 2 },
    });
    expect(at("2026-10-03T12:15:00Z")).toMatchObject({ score: 1, late: { daysLate: 2 } });
    expect(at("2026-12-01T00:00:00Z")).toMatchObject({ score: 0.6 });
  });

  it("knows extensions, and takes nothing off what has no score", () => {
    expect(at("2026-10-08T00:00:00Z", { ...FULL, submission: { ...FULL.submission, id: "kim" } }).late).toBe(
      null,
    );
    expect(at("2026-12-01T00:00:00Z", UNGRADABLE)).toBe(UNGRADABLE);
  });
});

describe("a class", () => {
  let bench: Bench;
  let samples: Sample[];
  const lab = join(folder, "lab");
  const wish = (out: string): ClassWish => ({
    ...{ out: join(folder, out), seed: "term", jobs: 3, formats: ["gradescope"], late: undefined },
    ...{ handedIn: new Map<string, string>(), fresh: false },
  });
  const results = (out: string) =>
    readdirSync(join(folder, out, "results")).map(name => {
      return withoutTime(JSON.parse(readFileSync(join(folder, out, "results", name), "utf8")) as GradeResult);
    });
  const table = (out: string) => readFileSync(join(folder, out, "class.csv"), "utf8");

  beforeAll(async () => {
    samples = await writeSamples(lab, chapters, 30);
    bench = await checkBench(await setUpBench(chapters, chooseIsolation()), "term");
    await gradeClass(bench, sourcesIn(lab), wish("whole"), () => {});
  }, 600_000);
  afterAll(() => bench?.boxes.close());

  it("gets what it should: all, nothing, less than all, or no score", () => {
    expect(
      sourcesIn(lab)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(samples.map(({ id }) => id).sort());
    for (const { id, kind } of samples) {
      const result = JSON.parse(
        readFileSync(join(folder, "whole/results", `${id}.json`), "utf8"),
      ) as GradeResult;
      expect(result.status, id).toBe(kind === "broken" ? "ungradable" : "graded");
      if (kind === "reference") expect(result.score, id).toBe(20);
      if (kind === "starter") expect(result.score, id).toBe(0);
      if (kind === "mutant") expect(result.score, id).toBeLessThan(20);
      if (kind === "mutant") expect(result.score, id).toBeGreaterThan(10);
    }
  });

  it("that was interrupted goes on, and comes to the same", async () => {
    const part = sourcesIn(lab).slice(0, 14);
    await gradeClass(bench, part, wish("resumed"), () => {});
    let known = 0;
    await gradeClass(bench, sourcesIn(lab), wish("resumed"), (_done, _of, cached) => (known = cached));
    expect(known).toBe(14);
    expect(results("resumed")).toEqual(results("whole"));
    expect(table("resumed")).toBe(table("whole"));
  }, 600_000);

  it("in three shards comes to the same", async () => {
    const all = sourcesIn(lab);
    for (const index of [0, 1, 2]) {
      const shard = all.filter((_source, at) => at % 3 === index);
      await gradeClass(bench, shard, wish(`shard${index}`), () => {});
    }
    const shards = [0, 1, 2].map(index => join(folder, `shard${index}`));
    mergeShards(shards, { out: join(folder, "merged"), formats: [] });
    expect(results("merged")).toEqual(results("whole"));
    expect(table("merged")).toBe(table("whole"));
  }, 600_000);

  it("has a table that tells zero, ungradable and our failure apart", () => {
    const lines = classTable([
      FULL,
      UNGRADABLE,
      { ...FULL, score: 0, submission: { ...FULL.submission, id: "zero" } },
    ]);
    expect(lines).toEqual([
      "Jane-Doe_12     ungradable       - / 5  the archive is broken (invalid zip data)",
      "vmexit-lab-ada  graded           2 / 2",
      "zero            graded           0 / 2",
      "",
      "2 graded, 1 ungradable (look at them), 0 failures of the grader (run it again); mean 1, median 0 of 5",
    ]);
    expect(progressLine(50, 100, 10, 4)).toBe(
      `${"#".repeat(15)}${".".repeat(15)} 50 of 100, 10 known already, 10.0 a second, 5 s to go`,
    );
  });
});
