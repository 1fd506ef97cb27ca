/** `npm run grade` from its words to its exit code, as a person or a script meets it. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT, readChapters } from "../chapters.ts";
import { Complaint } from "../complaint.ts";
import { FORMATS } from "./formats.ts";
import { help, OPTIONS, parseWords, WORDS } from "./options.ts";
import type { GradeResult } from "./result.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-grade-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = join(import.meta.dirname, "grade.ts");

function grade(words: readonly string[], environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", PROGRAM, ...words], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  return { status, stderr, lines: stdout.trim().split("\n") };
}

const chapters = readChapters();
const parse = (...words: string[]) => parseWords(words, chapters, "practice");
const FILES = ["counter.ts", "pit.ts", "alarm.ts"];
const solution = Object.fromEntries(
  FILES.map(file => [`05-pit/${file}`, readFileSync(join(ROOT, "solutions/05-pit", file))]),
);
const resultOf = (...path: string[]) =>
  JSON.parse(readFileSync(join(folder, ...path), "utf8")) as GradeResult;

describe("words", () => {
  it("stand in any order, as words or as flags", () => {
    const [words, flags] = [
      parse("out=x", "solution", "shard=2/8", "5", "seed=term", "isolation=uid", "due=d.json"),
      parse(
        ...["5", "solution", "--shard", "2/8", "--out=x", "--seed", "term"],
        ...["--due", "d.json"],
        ...["--require-isolation", "uid"],
      ),
    ];
    expect(words).toEqual(flags);
    expect(words).toMatchObject({ isolation: "uid", shard: { index: 2, of: 8 }, due: "d.json" });
    expect(words.chapters.map(({ number }) => number)).toEqual([5]);
    expect(parse("all").chapters).toHaveLength(chapters.length);
  });

  it.each([
    [["solutoin"], "solution"],
    [["99"], "no chapter 99"],
    [["all", "5"], "exclude each other"],
    [["5", "shard=9/8"], "part/parts"],
    [["5", "shard=0/8"], "part/parts"],
    [["5", "isolation=none"], "node, uid, bubblewrap, container"],
    [["5", "jobs=0"], "whole number"],
    [["5", "format=gradescpoe"], "gradescope"],
    [["5", "task=tmie"], "time"],
    [["5", "out="], "needs a value"],
    [["5", "--seed"], "needs a value"],
  ])("%j is refused in one sentence that says what would do", (words, sentence) => {
    let refusal: unknown;
    try {
      parse(...words);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(Complaint);
    const { message, exitCode } = refusal as Complaint;
    expect(exitCode).toBe(2);
    expect(message).toContain(sentence);
    expect(message).not.toContain("\n");
  });

  it("are all in the help", () => {
    const text = help().join("\n");
    for (const word of [...Object.keys(WORDS), ...Object.keys(OPTIONS)]) {
      expect(text).toMatch(new RegExp(`^ {2}${word} +\\S`, "m"));
    }
  });
});

describe("exit codes", () => {
  it("0 for the reference, with every format beside the result", () => {
    const { status, lines } = grade(["5", "solution", `out=${join(folder, "one")}`, "format=all"]);
    expect(lines.at(-1)).toBe("Score: 20/20");
    expect(status).toBe(0);
    expect(resultOf("one/result.json")).toMatchObject({ status: "graded", score: 20, max: 20 });
    for (const { file } of Object.values(FORMATS))
      expect(existsSync(join(folder, "one", file)), file).toBe(true);
  });

  it("0 for a score of 0, 1 for it with the word strict", () => {
    mkdirSync(join(folder, "starter/05-pit"), { recursive: true });
    writeFileSync(join(folder, "starter/05-pit/pit.ts"), "export clas");
    const { status, lines } = grade(["5", join(folder, "starter"), "task=time"]);
    expect([status, lines.at(-1)]).toEqual([0, "Score: 0/2"]);
    expect(grade(["5", join(folder, "starter"), "task=time", "strict"]).status).toBe(1);
  });

  it("1 for what cannot be graded, which is no score", () => {
    writeFileSync(join(folder, "broken.zip"), "<html>Log in</html>");
    const { status, lines } = grade(["5", join(folder, "broken.zip"), `out=${join(folder, "broken")}`]);
    expect(status).toBe(1);
    expect(lines.join("\n")).not.toMatch(/^Score: \d/m);
    expect(resultOf("broken/result.json")).toMatchObject({ status: "ungradable", score: null });
  });

  it("2 for a wrong word or path, with nothing but a sentence", () => {
    for (const words of [["6", "solutoin"], ["5", join(folder, "nowhere.zip")], ["solution"]]) {
      const { status, stderr, lines } = grade(words);
      expect(status, words.join(" ")).toBe(2);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect(lines).toEqual([""]);
    }
  });

  it("3 when the grader fails: no such isolation here, no place for its results", () => {
    const refused = grade(["5", "solution", "isolation=container"], {
      VMEXIT_GRADE_ENGINE: join(folder, "no-engine"),
    });
    expect(refused.status).toBe(3);
    expect(refused.stderr).toMatch(/^this machine cannot isolate .* “container”, so nothing is graded .*\n$/);
    writeFileSync(join(folder, "file"), "");
    expect(grade(["5", "solution", `out=${join(folder, "file", "out")}`]).status).toBe(3);
  });
});

/** Stands in for podman: it takes podman's words, runs the box without a container, and tells what it was asked. */
const ENGINE = `#!/bin/sh
echo "$1" >> "${folder}/engine.log"
[ "$1" = run ] || exit 0
while [ "$1" != image ]; do
  case "$1" in --pidfile=*) echo $$ > "\${1#*=}" ;; --volume=*) box="\${1#*=}" ;; esac
  shift
done
shift
for word; do
  shift
  case "$word" in --permission | --allow-fs-read=*) ;; */serve.mjs) set -- "$@" "\${box%%:*}/serve.mjs" ;; *) set -- "$@" "$word" ;; esac
done
exec "${process.execPath}" "$@"
`;

it("a container is asked through its engine, and removed whatever its submission does", () => {
  const engine = join(folder, "engine");
  writeFileSync(engine, ENGINE, { mode: 0o755 });
  const temporary = join(folder, "temporary");
  mkdirSync(temporary);
  const environment = { VMEXIT_GRADE_ENGINE: engine, VMEXIT_GRADE_IMAGE: "image", TMPDIR: temporary };
  writeFileSync(join(folder, "solution.zip"), zipSync(solution));
  const loop = new TextEncoder().encode(`${String(solution["05-pit/pit.ts"])}\nfor (;;);`);
  writeFileSync(join(folder, "loop.zip"), zipSync({ ...solution, "05-pit/pit.ts": loop }));
  const [good, bad] = ["solution", "loop"].map(name => {
    return grade(["5", join(folder, `${name}.zip`), "isolation=container"], environment);
  });
  expect([good!.stderr, bad!.stderr]).toEqual(["", ""]);
  expect(good!.lines.slice(-2)).toEqual([expect.stringMatching(/^isolation: container · /), "Score: 20/20"]);
  expect(bad!.lines.join("\n")).toContain("did not come back within");
  expect(bad!.lines.at(-1)).toBe("Score: 0/20");
  const asked = readFileSync(join(folder, "engine.log"), "utf8").trim().split("\n");
  // The two probes are the only ones that end by themselves.
  expect(asked.filter(word => word === "rm")).toHaveLength(asked.filter(word => word === "run").length - 2);
  expect(readdirSync(temporary).filter(name => name.startsWith("vmexit-"))).toEqual([]);
}, 120_000);

it("a class in two shards, with what lateness costs, is merged to one table", () => {
  const lab = join(folder, "lab");
  mkdirSync(lab);
  const broken = { ...solution, "05-pit/pit.ts": new TextEncoder().encode("export clas") };
  writeFileSync(join(lab, "lab-ada.zip"), zipSync(solution));
  writeFileSync(join(lab, "lab-bob.zip"), zipSync(broken));
  writeFileSync(join(lab, "lab-cyd.zip"), "no archive");
  writeFileSync(join(folder, "due.json"), JSON.stringify({ due: "2026-10-01T12:00:00Z", perDay: 0.25 }));
  writeFileSync(join(folder, "times.csv"), "submission,time\nlab-ada,2026-10-02T11:00:00Z\n");
  const late = [`due=${join(folder, "due.json")}`, `handed=${join(folder, "times.csv")}`];
  for (const part of [1, 2]) {
    const { status, lines } = grade([
      "5",
      lab,
      `shard=${part}/2`,
      `out=${join(folder, `part${part}`)}`,
      ...late,
    ]);
    expect(status, lines.join("\n")).toBe(0);
  }
  const out = join(folder, "whole");
  const merged = grade([
    "merge",
    join(folder, "part1"),
    join(folder, "part2"),
    `out=${out}`,
    "format=gradescope",
  ]);
  expect(merged.status).toBe(0);
  expect(readdirSync(join(out, "results")).sort()).toEqual(["lab-ada.json", "lab-bob.json", "lab-cyd.json"]);
  expect(resultOf("whole/results/lab-ada.json")).toMatchObject({ score: 15, late: { daysLate: 1 } });
  expect(resultOf("whole/results/lab-bob.json")).toMatchObject({ status: "graded", score: 0 });
  expect(resultOf("whole/results/lab-cyd.json")).toMatchObject({ status: "ungradable", score: null });
  expect(merged.lines.join("\n")).toContain("2 graded, 1 ungradable");
  for (const file of ["class.csv", "canvas.csv", "moodle.csv"]) {
    expect(readFileSync(join(out, file), "utf8"), file).toMatch(/\bada\b.*\b15\b/);
  }
}, 120_000);

it("classroom50 writes one declarative test for each task", () => {
  const out = join(folder, "tests.json");
  expect(grade(["5", "classroom50", `out=${out}`]).status).toBe(0);
  const { tests } = JSON.parse(readFileSync(out, "utf8")) as { tests: { run: string; points: number }[] };
  const [chapter] = parse("5").chapters;
  expect(tests.map(({ points }) => points)).toEqual(chapter!.tasks.map(({ points }) => points));
  expect(tests[0]!.run).toBe("npm run grade 5 task=time strict");
});
