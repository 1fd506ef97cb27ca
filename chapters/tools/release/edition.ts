/** All files of an edition, made in memory from the project's. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../chapters.ts";
import { starterBody } from "../starter.ts";
import { starterText } from "../starter-files.ts";
import { agentsPage } from "./agents.ts";
import { closedLayer, layerTypes } from "./closed-layers.ts";
import { instructorPages } from "./instructor-pages.ts";
import { type Answer, isWholeAnswer } from "./scan.ts";
import { editionManifest, type Selected } from "./selection.ts";
import type { Wish } from "./words.ts";

/** Contents by path, relative to the edition's root. */
export type Files = Map<string, Uint8Array>;

/** The project's folders; a file of the top level is of the project, another folder is somebody's own. */
const FOLDERS = ["chapters", "docs", "sandbox", "solutions", ".vitepress", ".ci"];

/** What lies in a working folder and is no part of the project. */
const LEFT_OUT =
  /(^|\/)(node_modules|\.git|\.cache|dist|coverage|cache|\.temp)(\/|$)|\.backup|\.log$|^\.learn\.json/;

/** What a student has no use for, or must not see. */
const NOT_FOR_STUDENTS: readonly RegExp[] = [
  /^solutions\/.*\.test\.ts$/,
  /^(sandbox|\.vitepress|chapters\/tools)\/.*\.test\.ts$/,
  /^chapters\/\d\d-[^/]+\/hidden\//,
  /^chapters\/tools\/(release|laws)\//,
  /^chapters\/tools\/(outputs|book-outputs)\.ts$/,
  /^chapters\/tools\/grade\/(attacks\/|README|.*\.txt$)/,
  /^chapters\/tools\/grade\/(book-class|similar\/(honest|disguise)|cluster\/workflow-parser)\.ts$/,
  /^docs\/outputs\/teach-/,
  /^sandbox\/cpu\/oracle\//,
  /^docs\/instructors\//,
  /^\.ci\//,
];

/** Scripts whose program a student edition has not. */
const NOT_THEIR_SCRIPTS = ["release", "outputs", "oracle"];

/** `answers` are those that the edition must not tell. */
export async function editionFiles(
  wish: Wish,
  selected: readonly Selected[],
  answers: readonly Answer[],
): Promise<Files> {
  const files = projectFiles();
  if (wish.kind === "instructor") {
    for (const [path, text] of instructorPages(selected)) files.set(path, bytes(text));
    return files;
  }
  for (const path of [...files.keys()]) {
    if (NOT_FOR_STUDENTS.some(pattern => pattern.test(path))) files.delete(path);
  }
  for (const one of selected) await closeChapter(files, one, answers);
  rewrite(files, "package.json", text => editionPackage(text, selected));
  rewrite(files, "tsconfig.json", text => text.replace('"solutions"', '"types"'));
  rewrite(files, "biome.json", text => replaceOnce(text, LINTED, LINTED_THERE));
  rewrite(files, ".vitepress/config.ts", withoutInstructors);
  for (const path of files.keys()) {
    if (path.startsWith("docs/") && path.endsWith(".md"))
      rewrite(files, path, text => pageOfStudents(text, selected));
  }
  rewrite(files, "docs/how-to-use.md", page =>
    replaceOnce(page, NEVER_FAR, ".\n").replace(INSTRUCTORS_PART, ""),
  );
  rewrite(files, "README.md", page => readme(page, wish, selected));
  for (const [path, text] of layerTypes(layerPaths(selected))) files.set(path, bytes(text));
  files.set("AGENTS.md", bytes(agentsPage()));
  files.set("edition.json", bytes(`${JSON.stringify(facts(wish, selected), null, 2)}\n`));
  return files;
}

/** Every file of the project as it is on disk. */
export function projectFiles(): Files {
  const files: Files = new Map();
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (LEFT_OUT.test(path) || (!folder && entry.isDirectory() && !FOLDERS.includes(path))) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) files.set(path, readFileSync(join(ROOT, path)));
    }
  };
  walk("");
  return files;
}

function layerPaths(selected: readonly Selected[]): string[] {
  return selected.flatMap(({ chapter }) =>
    layerNames(chapter.name).map(file => `solutions/${chapter.name}/${file}`),
  );
}

function layerNames(chapter: string): string[] {
  return readdirSync(join(ROOT, "solutions", chapter)).filter(
    file => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
}

/** Closes a chapter's solutions, writes its starters, and leaves out of it what is not assigned. */
async function closeChapter(files: Files, one: Selected, answers: readonly Answer[]): Promise<void> {
  const { chapter, tasks, isOpen } = one;
  const { name } = chapter;
  for (const file of layerNames(name)) {
    const path = `solutions/${name}/${file}`;
    const solution = text(files, path);
    const isHole =
      tasks.length === 0 ? undefined : ({ id }: { id: string }) => tasks.some(task => task.id === id);
    const starter = starterText(chapter, file, starterBody(chapter, file, solution, isHole));
    files.set(`starters/${name}/${file}`, bytes(starter));
    if (tasks.length > 0) files.set(`chapters/${name}/${file}`, bytes(starter));
    else files.delete(`chapters/${name}/${file}`);
    if (!isOpen) files.set(path, bytes(await closedLayer(solution)));
  }
  rewrite(
    files,
    `chapters/${name}/chapter.json`,
    json =>
      `${JSON.stringify(
        editionManifest(JSON.parse(json), one, hint => isWholeAnswer(hint, answers)),
        null,
        2,
      )}\n`,
  );
  for (const path of files.keys()) {
    const isTest = new RegExp(`^chapters/${name}/.*\\.test\\.ts$`).test(path);
    if (isTest && !hasAssigned(text(files, path), one)) files.delete(path);
  }
}

/** Whether a file of tests is of use: it tests an assigned task, or is no graded test of an assigned chapter. */
function hasAssigned(test: string, { tasks }: Selected): boolean {
  if (tasks.length === 0) return false;
  return !test.includes("graded<") || tasks.some(({ id }) => test.includes(`describe("${id}"`));
}

/**
 * The layers' names: an assigned chapter can be the learner's, every other one is the reference. TypeScript
 * reads the declarations.
 */
function editionPackage(json: string, selected: readonly Selected[]): string {
  const document = JSON.parse(json);
  for (const { chapter, tasks } of selected) {
    const { name } = chapter;
    const number = name.slice(0, 2);
    document.imports[`#layers/${name}/*`] = {
      ...(tasks.length > 0 && { [`learner-${number}`]: `./chapters/${name}/*` }),
      types: `./types/${name}/*`,
      default: `./solutions/${name}/*`,
    };
  }
  for (const script of NOT_THEIR_SCRIPTS) delete document.scripts[script];
  return `${JSON.stringify(document, null, 2)}\n`;
}

/**
 * What the book shows of a closed layer is the starter's: the same lines, with the exercises left out. A
 * chapter that is not assigned lists no exercises.
 */
function pageOfStudents(page: string, selected: readonly Selected[]): string {
  const isOpen = (name: string) => selected.some(one => one.chapter.name === name && one.isOpen);
  const isAssigned = (number: string) =>
    selected.some(({ chapter, tasks }) => chapter.number === Number(number) && tasks.length > 0);
  return page
    .replace(/^<<< @\/\.\.\/solutions\/([^/]+)\//gm, (line, name) =>
      isOpen(name) ? line : line.replace("solutions/", "starters/"),
    )
    .replace(/<ExerciseList :chapter="(\d+)" \/>/g, (list, number) =>
      isAssigned(number)
        ? list
        : "Nothing of this chapter is assigned: it is here to be read, and runs on the reference.",
    );
}

/** What is linted, here and in an edition, where much is generated. */
const LINTED = '"!**/package-lock.json"';
const LINTED_THERE = '"!**/*.json", "!solutions", "!types", "!starters"';

/** What a student's book does not promise. */
const NEVER_FAR =
  ", and `solutions/01-minimal-vm` is never far.\nLooking is no defeat; copying without a prediction is.\n";

const INSTRUCTORS_PART = /^\[Choose and hand out\]\(.*\n\n?/m;

function replaceOnce(text: string, old: string, by: string): string {
  if (!text.includes(old))
    throw new Error(`the project no longer says “${old.trim()}”: mend release/edition.ts`);
  return text.replace(old, () => by);
}

/** The project's README with what this edition assigns on top. */
function readme(page: string, wish: Wish, selected: readonly Selected[]): string {
  const rows = selected
    .filter(({ tasks }) => tasks.length > 0)
    .map(({ chapter, tasks, due }) => {
      const points = tasks.reduce((sum, task) => sum + task.points, 0);
      return `| ${chapter.number} | ${chapter.title} | ${tasks.length} | ${points} | ${due ?? ""} |`;
    });
  const assigned = [
    "## What is assigned",
    "",
    `This is the student edition of ${wish.today}.`,
    "`npm ci`, then `npm run learn` leads through the tasks; `npm run grade N` tells your points.",
    "The reference runs here and cannot be read.",
    "An AI helper finds in `AGENTS.md` how to help you.",
    "",
    "| chapter | title | tasks | points | due |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    "",
  ].join("\n");
  return replaceOnce(page, "## Start\n", `${assigned}## Start\n`).replace(
    "`solutions/NN-name/` | the layers: the one hand-written source of each",
    "`solutions/NN-name/` | the reference's layers, closed: they run and cannot be read",
  );
}

/** The sidebar without the pages for instructors. */
function withoutInstructors(config: string): string {
  return config.replace(/^ *\/\/ #region instructors\n[\s\S]*?\/\/ #endregion instructors\n/m, "");
}

function facts(wish: Wish, selected: readonly Selected[]): object {
  return {
    edition: wish.kind,
    made: wish.today,
    chapters: selected
      .filter(({ tasks }) => tasks.length > 0)
      .map(({ chapter, tasks, given, due }) => ({
        number: chapter.number,
        name: chapter.name,
        ...(due && { due }),
        tasks: tasks.map(({ id }) => id),
        given: given.map(({ id }) => id),
        ...(wish.open.has(chapter.number) && { solutionsFrom: wish.open.get(chapter.number) }),
      })),
  };
}

function rewrite(files: Files, path: string, change: (text: string) => string): void {
  files.set(path, bytes(change(text(files, path))));
}

function text(files: Files, path: string): string {
  const content = files.get(path);
  if (!content) throw new Error(`the edition has no ${path}`);
  return new TextDecoder().decode(content);
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}
