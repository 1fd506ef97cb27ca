import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layerFiles, ROOT, readChapter, readChapters } from "../chapters.ts";
import { sectionsOf, weeks } from "../course/timetable.ts";
import { readLatePolicy } from "../grade/late.ts";
import { findRegions } from "../regions.ts";
import { starterFiles } from "../starter-files.ts";
import { questionsOf } from "./instructor-pages.ts";
import { answersOf, bare, findLeaks } from "./scan.ts";
import { select } from "./selection.ts";
import { parseWords, type Wish } from "./words.ts";

const chapters = readChapters();
const NOW = new Date("2026-09-01T12:00:00Z");
const hints = chapters.flatMap(({ tasks }) => tasks.flatMap(task => task.hints));

const temporary = mkdtempSync(join(tmpdir(), "vmexit-release-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function release(...words: string[]) {
  const tool = join(ROOT, "chapters/tools/release/release.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", tool, ...words], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return { code: status, stdout, stderr };
}

describe("the words", () => {
  const parse = (...words: string[]) => parseWords(words, chapters, NOW) as Wish;

  it("choose chapters, tasks and dates", () => {
    const wish = parse(
      "student",
      "chapters=1-3,5",
      "due=1:2026-09-17,5:2026-10-01",
      "open=2026-12-01",
      "out=x",
    );
    expect([...wish.chapters]).toEqual([1, 2, 3, 5]);
    expect([...wish.due]).toEqual([
      [1, "2026-09-17"],
      [5, "2026-10-01"],
    ]);
    expect(wish.open.get(7)).toBe("2026-12-01");
    expect(wish.today).toBe("2026-09-01");
    expect([...parse("student", "tasks=5/latch,04-interrupts/vector-table").chapters]).toEqual([4, 5]);
  });

  it.each([
    [["student", "chapters=9"], "chapters=9: there is no chapter 9"],
    [["student", "chapters=one"], "chapters=one: “one” is no chapter and no range as in 1-4"],
    [["student", "tasks=5/lach"], "tasks: chapter 5: unknown word “lach”: did you mean “latch”?"],
    [
      ["student", "chapters=1", "tasks=5/latch"],
      "the task 05-pit/latch is of a chapter that is not assigned",
    ],
    [["student", "due=2026-02-30"], "due=2026-02-30: “2026-02-30” is no date as in 2026-10-01"],
    [["student", "instructor"], "which edition? `npm run release student` or `instructor`"],
    [["studnet"], "unknown word “studnet”: did you mean “student”?"],
  ] as const)("%j is refused in one sentence", (words, message) => {
    expect(() => parse(...words)).toThrow(message);
  });

  it("opens the reference on its date, not before", () => {
    const isOpen = (today: string) =>
      select(chapters, parse("student", "open=1:2026-10-01", `today=${today}`)).map(one => one.isOpen);
    expect(isOpen("2026-09-30")).not.toContain(true);
    expect(isOpen("2026-10-01").indexOf(true)).toBe(0);
    expect(isOpen("2026-10-01").lastIndexOf(true)).toBe(0);
  });
});

describe("the scan", () => {
  const pit = readChapter("05-pit");
  const answers = answersOf([pit], () => true);
  const solution = readFileSync(join(ROOT, "solutions/05-pit/pit.ts"), "utf8");
  const region = findRegions("pit.ts", solution).find(({ name }) => name === "exercise-catch-up")!;
  const body = solution
    .split("\n")
    .slice(region.start + 1, region.end)
    .join("\n");
  const places = (name: string, write: (folder: string) => void) => {
    const folder = join(temporary, name);
    mkdirSync(folder);
    write(folder);
    return [
      ...new Set(findLeaks(folder, answers, hints).map(({ place, answer }) => `${answer.key} in ${place}`)),
    ];
  };

  it("knows every region of the chapter, most of them by a text of their own", () => {
    expect(new Set(answers.map(({ key }) => key)).size).toBe(pit.tasks.length);
    expect(answers.filter(({ whole }) => whole).length).toBeGreaterThan(answers.length * 0.8);
  });

  it("finds nothing in the starters", () => {
    const found = places("starters", folder => {
      for (const { path, text } of starterFiles([pit])) writeFileSync(join(folder, basename(path)), text);
    });
    expect(found).toEqual([]);
  });

  it.each([
    ["in another indentation", (text: string) => text.replace(/\s+/g, "\n")],
    ["without its comments", (text: string) => text.replace(/\/\/.*$/gm, "")],
    [
      "in a page",
      (text: string) =>
        `<pre>${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replace(/(\w+)/g, "<span>$1</span>")}</pre>`,
    ],
    ["in a program's string", (text: string) => `const code = ${JSON.stringify(`<code>${text}</code>`)};`],
  ])("finds an answer %s", (name, change) => {
    const text = change(body);
    expect(places(name, folder => writeFileSync(join(folder, "a.txt"), text))).toEqual([
      "05-pit/irq in a.txt",
    ]);
  });

  it("finds one line of an answer", () => {
    const line = answers.find(({ region: name }) => name === "exercise-catch-up")!.lines[0]!;
    const source = body.split("\n").find(one => bare(one) === line)!;
    expect(places("line", folder => writeFileSync(join(folder, "a.md"), `as in ${source} ...`))).toEqual([
      "05-pit/irq in a.md",
    ]);
  });

  it("finds it in an archive", () => {
    const zip = zipSync({ "deep/in.ts": new TextEncoder().encode(body) });
    expect(places("zip", folder => writeFileSync(join(folder, "a.zip"), zip))).toEqual([
      "05-pit/irq in a.zip › deep/in.ts",
    ]);
  });

  it("finds it in a repository's history, though the file is gone", () => {
    const found = places("history", folder => {
      const git = (...args: string[]) =>
        execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
          cwd: folder,
          stdio: "ignore",
        });
      git("init", "--quiet");
      writeFileSync(join(folder, "a.ts"), body);
      git("add", "a.ts");
      git("commit", "-qm", "one");
      git("rm", "-q", "a.ts");
      git("commit", "-qm", "two");
    });
    expect(found).toEqual([expect.stringMatching(/^05-pit\/irq in \.git object [0-9a-f]{40}$/)]);
  });
});

describe("a student edition of chapters 4 and 5, with one task of 5 given", () => {
  const out = join(temporary, "student");
  const clone = join(temporary, "clone");
  const tasks = [
    ...readChapter("04-interrupts").tasks.map(({ id }) => `4/${id}`),
    ...readChapter("05-pit")
      .tasks.filter(({ id }) => id !== "latch")
      .map(({ id }) => `5/${id}`),
  ].join(",");
  let made: ReturnType<typeof release>;
  beforeAll(() => {
    made = release("student", `out=${out}`, `tasks=${tasks}`, "due=4:2026-10-01", "site");
    execFileSync("git", ["clone", "--quiet", join(out, "vmexit-student"), clone]);
    symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
  }, 400_000);
  const run = (script: string, ...words: string[]) => {
    const { scripts } = JSON.parse(readFileSync(join(clone, "package.json"), "utf8"));
    const [program, ...args] = scripts[script].split(" ");
    const env = { ...process.env, NO_COLOR: "1", CI: "", VMEXIT_LEARNER: "", VMEXIT_CHAPTER: "" };
    const outcome = spawnSync(program, [...args, ...words], { cwd: clone, encoding: "utf8", env });
    return { code: outcome.status, text: outcome.stdout + outcome.stderr };
  };

  it("is made, and searched for answers by the tool itself", () => {
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toMatch(
      /searched for \d+ texts of \d+ answers in files, archive and history: none is there/,
    );
    expect(made.stdout).toMatch(/5 The timer: 7 tasks, 18 points, 1 given/);
    expect(made.stdout).toMatch(/4 Interrupts and exceptions: \d+ tasks, \d+ points, due 2026-10-01/);
  });

  it("has no answer anywhere: folder, archive, history, site and its search index", {
    timeout: 120_000,
  }, () => {
    const secret = answersOf(chapters, (_chapter, { id }) => id !== "latch");
    expect(secret.length).toBeGreaterThan(90);
    expect(existsSync(join(out, "site/hashmap.json"))).toBe(true);
    expect(findLeaks(out, secret, hints).map(({ place, text }) => `${place}: ${text}`)).toEqual([]);
  });

  it("has one commit, no hidden test, no mistake, and no tool that makes editions", () => {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: clone, encoding: "utf8" }).trim();
    expect(git("rev-list", "--all", "--count")).toBe("1");
    const files = git("ls-files").split("\n");
    expect(
      files.filter(path => /\/hidden\/|tools\/release|attacks\/|^solutions\/.*\.test\.ts$/.test(path)),
    ).toEqual([]);
    expect(files).toContain("AGENTS.md");
    for (const { name } of chapters) {
      const manifest = JSON.parse(readFileSync(join(clone, "chapters", name, "chapter.json"), "utf8"));
      expect(manifest.mistakes).toEqual([]);
    }
  });

  it("installs with npm ci as the project does: the same lock file and the same packages", () => {
    const of = (folder: string, file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));
    for (const field of ["dependencies", "devDependencies", "engines"]) {
      expect(of(clone, "package.json")[field]).toEqual(of(ROOT, "package.json")[field]);
    }
    expect(of(clone, "package-lock.json")).toEqual(of(ROOT, "package-lock.json"));
  });

  it("runs a chapter to the first hole, the reference through, and an unassigned one on the reference", {
    timeout: 180_000,
  }, () => {
    expect(run("chapter", "4").text).toContain("yours to write: ");
    expect(run("chapter", "4", "solution", "soft").code).toBe(0);
    expect(run("chapter", "1", "soft").code).toBe(0);
  });

  it("leads through what is assigned, and holds the reference back", { timeout: 120_000 }, () => {
    const { code, text } = run("learn", "5");
    expect(code).toBe(1);
    expect(text).toContain("0 of 7 tasks, 0 of 18 points");
    expect(text).toContain("This failure is expected: it is yours to write");
    const list = run("learn", "list").text;
    expect(list).not.toContain("latch");
    expect(list).toContain("4 Interrupts and exceptions, due 2026-10-01\n");
    expect(list).toMatch(/^5 The timer$/m);
    expect(run("learn", "4").text).toMatch(/points?, \*+, due 2026-10-01\)/);
  });

  it("grades nothing for the starters, and full marks for the reference's bodies", {
    timeout: 120_000,
  }, () => {
    expect(run("grade", "5").text).toMatch(/Score: [0-4](\.\d+)?\/18\n$/);
    for (const file of layerFiles("05-pit"))
      cpSync(join(ROOT, "solutions/05-pit", file), join(clone, "chapters/05-pit", file));
    expect(run("grade", "5").text).toMatch(/Score: 18\/18\n$/);
    const { text } = run("learn", "5", "time", "diff");
    expect(text).toContain("✓ done");
    expect(text).toContain("this edition holds the reference's answers back");
  });
});

describe("an instructor's edition", () => {
  it("has everything, and the pages beside it", { timeout: 120_000 }, () => {
    const out = join(temporary, "instructor");
    expect(release("instructor", `out=${out}`, "due=5:2026-10-15")).toMatchObject({ code: 0, stderr: "" });
    const folder = join(out, "vmexit-instructor");
    const files = execFileSync("git", ["ls-files"], { cwd: folder, encoding: "utf8" }).split("\n");
    for (const page of ["timetable", "exercises", "syllabus-6-weeks", "syllabus-12-weeks", "rubric"]) {
      expect(files).toContain(`instructor/${page}.md`);
    }
    expect(files).toContain("solutions/05-pit/pit.ts");
    expect(files.filter(path => path.includes("/hidden/")).length).toBeGreaterThan(0);
    expect(files.filter(path => path.startsWith("dist/") || path.includes("node_modules"))).toEqual([]);
    const late = readLatePolicy(join(folder, "instructor/due-05-pit.json"));
    expect(late.due).toBe("2026-10-15T23:59:00Z");
    const picker = readFileSync(join(folder, "instructor/exercises.md"), "utf8");
    const words = [...picker.matchAll(/`npm run release student (tasks=\S+)`/g)].map(match => match[1]!);
    expect(words.length).toBeGreaterThan(chapters.length);
    for (const word of words) expect(() => parseWords(["student", word], chapters, NOW)).not.toThrow();
    // The search finds every answer that is long enough to be told, where it is not to be without them.
    const answers = answersOf(chapters, () => true).filter(({ whole }) => whole !== "");
    const found = new Set(findLeaks(folder, answers, hints).map(({ answer }) => answer));
    expect(answers.filter(answer => !found.has(answer)).map(({ key }) => key)).toEqual([]);
  });

  it("is refused where something is already", () => {
    expect(release("instructor", `out=${temporary}`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("is there already: delete it or choose another out=FOLDER"),
    });
  });
});

describe("the instructor's pages", () => {
  it("count every task once, in its section", () => {
    for (const chapter of chapters) {
      const counted = sectionsOf(chapter).flatMap(({ tasks }) => tasks.map(({ id }) => id));
      expect(counted.sort(), chapter.name).toEqual(chapter.tasks.map(({ id }) => id).sort());
    }
  });

  it.each([6, 12])("spread the course over %d weeks of about the same time, in order", count => {
    const sections = chapters.flatMap(chapter => sectionsOf(chapter));
    const plan = weeks(sections, count);
    expect(plan.flat()).toEqual(sections);
    const times = plan.map(week => week.reduce((sum, { reading, writing }) => sum + reading + writing, 0));
    const mean = times.reduce((sum, time) => sum + time, 0) / count;
    for (const time of times) expect(Math.abs(time - mean)).toBeLessThan(mean * 0.5);
  });

  it("have a rubric for every open question of the book, with its answer", () => {
    for (const chapter of chapters) {
      const page = readFileSync(join(ROOT, "docs/chapters", `${chapter.name}.md`), "utf8");
      const questions = questionsOf(chapter);
      expect(questions.length, chapter.name).toBe(page.match(/<Predict /g)?.length ?? 0);
      for (const { answer } of questions) expect(answer.length).toBeGreaterThan(20);
    }
  });
});
