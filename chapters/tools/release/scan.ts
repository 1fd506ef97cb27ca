/**
 * Looks for the reference's answers in what is about to be handed out: in every file, in archives and in
 * every object of a repository's history.
 *
 * What is compared has no white space and no comments, so neither another indentation nor a bundler's
 * hides an answer. An answer is searched for as a whole, everywhere, and line by line, where people read:
 * a closed layer that runs must do what the answer says, in its own words. A text that the given code has,
 * too, tells nothing and is not searched for; nor is one of few characters. A hint may have a line of the
 * answer, which is what hints are for, and never the whole.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import type { Chapter, Task } from "../chapter-manifest.ts";
import { layerFiles, ROOT } from "../chapters.ts";
import { findRegions } from "../regions.ts";
import { starterBody } from "../starter.ts";

export interface Answer {
  /** As in "05-pit/latch". */
  readonly key: string;
  readonly region: string;
  /** The whole without white space and comments; empty where it says too little. */
  readonly whole: string;
  /** Its telling lines, in the same way. */
  readonly lines: readonly string[];
}

export interface Leak {
  /** Where, as in "a.zip › docs/index.md". */
  readonly place: string;
  readonly answer: Answer;
  readonly text: string;
}

/** Fewer characters say nothing: `returnthis.#mode` stands everywhere. */
const LEAST = 24;

/** The answers of some tasks, to be looked for. */
export function answersOf(
  chapters: readonly Chapter[],
  isSecret: (chapter: Chapter, task: Task) => boolean,
): Answer[] {
  const solutions = chapters.flatMap(chapter =>
    layerFiles(chapter.name).map(file => ({
      chapter,
      file,
      text: readFileSync(join(ROOT, "solutions", chapter.name, file), "utf8"),
    })),
  );
  const starters = solutions.map(({ chapter, file, text }) => starterBody(chapter, file, text)).join("\n");
  const given = bare(starters + programs("sandbox"));
  const figures = bare(programs(".vitepress"));
  return solutions.flatMap(({ chapter, file, text }) => {
    const lines = text.split("\n");
    return findRegions(file, text).flatMap(({ name, start, end }) => {
      const task = chapter.tasks.find(one => one.file === file && one.regions.includes(name));
      if (!task || !isSecret(chapter, task)) return [];
      const body = lines.slice(start + 1, end);
      const tells = (needle: string) => needle.length >= LEAST && !given.includes(needle);
      const whole = bare(body.join("\n"));
      return [
        {
          key: `${chapter.name}/${task.id}`,
          region: name,
          whole: tells(whole) ? whole : "",
          lines: [...new Set(body.map(bare).filter(line => tells(line) && !figures.includes(line)))],
        },
      ];
    });
  });
}

/** Whether a hint is the whole answer of a region: such a hint is not to be handed out. */
export function isWholeAnswer(hint: string, answers: readonly Answer[]): boolean {
  return answers.some(({ whole }) => whole !== "" && bare(hint).includes(whole));
}

/** Code that is handed out in any case. */
function programs(folder: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter(
      path => /\.(ts|vue)$/.test(path) && !/(^|\/)(node_modules|cache|dist|\.temp)\/|\.test\.ts$/.test(path),
    )
    .map(path => readFileSync(join(ROOT, folder, path), "utf8"))
    .join("\n");
}

/** Without comments, white space, and what a formatter may add or drop. */
export function bare(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|[\s;{}(),])\/\/.*$/gm, "$1")
    .replace(/\s+/g, "")
    .replace(/[;,]$/, "");
}

/** Everything that can be read in a folder: files, what archives hold, and every object of its history. */
export function* readable(folder: string): Generator<{ place: string; content: Uint8Array }> {
  const repositories: { path: string; place: string }[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const place = path.slice(folder.length + 1);
    if (entry.isDirectory() && entry.name === ".git") repositories.push({ path, place });
    if (!entry.isFile() || /(^|\/)(\.git|node_modules)\//.test(place)) continue;
    const content = readFileSync(path);
    if (entry.name.endsWith(".zip")) {
      for (const [member, unpacked] of Object.entries(unzipSync(content)))
        yield { place: `${place} › ${member}`, content: unpacked };
    } else yield { place, content };
  }
  // Behind the files, so that an object with a file's content is known by the file's name.
  for (const { path, place } of repositories) yield* objects(path, place);
}

function* objects(git: string, place: string): Generator<{ place: string; content: Uint8Array }> {
  const run = (args: readonly string[], input = "") =>
    execFileSync("git", ["--git-dir", git, ...args], { maxBuffer: 0x4000_0000, input });
  const names = run(["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"])
    .toString()
    .split("\n")
    .filter(line => /(blob|commit|tag)$/.test(line))
    .map(line => line.split(" ")[0]!);
  const all = run(["cat-file", "--batch"], `${names.join("\n")}\n`);
  for (let at = 0; at < all.length; ) {
    const end = all.indexOf(0x0a, at);
    const [name, , size] = all.toString("latin1", at, end).split(" ");
    yield { place: `${place} object ${name}`, content: all.subarray(end + 1, end + 1 + Number(size)) };
    at = end + 1 + Number(size) + 1;
  }
}

/** A closed layer, or a program of the site that has closed layers in it. */
const MACHINE_CODE = /(^|\/)solutions\/.*\.ts$|(^|\/)assets\/(?!.*\.md\.).*\.js$/;

/** What of the answers can be read in a folder. The same content is looked at once. */
export function findLeaks(folder: string, answers: readonly Answer[], hints: readonly string[]): Leak[] {
  if (!existsSync(folder)) throw new Error(`${folder} is not there`);
  const seen = new Set<string>();
  const leaks: Leak[] = [];
  const allowed = hints.flatMap(hint => [
    bare(hint),
    bare(JSON.stringify(hint).slice(1, -1)),
    bare(hint.replaceAll("`", "")),
  ]);
  allowed.sort((a, b) => b.length - a.length);
  const closed = new Set<string>();
  for (const { place, content } of readable(folder)) {
    const digest = createHash("sha256").update(content).digest("base64");
    if (MACHINE_CODE.test(place)) closed.add(digest);
    if (seen.has(digest)) continue;
    seen.add(digest);
    const [plain, ...seenByReader] = readings(new TextDecoder().decode(content));
    for (const text of [plain!, ...seenByReader]) {
      // A built page is read as a browser shows it.
      const isRaw = text === plain && /\.(html|js)$/.test(place);
      const read =
        closed.has(digest) || (isRaw && seenByReader.length > 0)
          ? ""
          : allowed.reduce((rest, hint) => rest.replaceAll(hint, ""), text);
      for (const answer of answers) {
        const found =
          answer.whole && text.includes(answer.whole)
            ? answer.whole
            : answer.lines.find(line => read.includes(line));
        if (found) leaks.push({ place, answer, text: found });
      }
    }
  }
  return leaks;
}

/** A text as it is; where it is a page, or a program that holds one, as a reader sees it, too. */
function readings(text: string): string[] {
  const plain = bare(text);
  if (!/<\/(span|code|pre)>/.test(text)) return [plain];
  const unquoted = text
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t")
    .replaceAll('\\"', '"')
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
  return [plain, bare(unquoted)];
}
