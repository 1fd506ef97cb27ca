/**
 * `npm run release student|instructor [words]`: an edition to hand out, as a folder that is a git
 * repository of one commit, and as an archive.
 *
 * A student edition is searched for the reference's answers before this program calls it done.
 */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Chapter } from "../chapter-manifest.ts";
import { ROOT, readChapters } from "../chapters.ts";
import { Complaint } from "../complaint.ts";
import { runTool } from "../run-tool.ts";
import { editionFiles } from "./edition.ts";
import { pack } from "./pack.ts";
import { type Answer, answersOf, findLeaks } from "./scan.ts";
import { type Selected, select } from "./selection.ts";
import { help, parseWords, type Wish } from "./words.ts";

await runTool(() => release(process.argv.slice(2)));

async function release(args: readonly string[]): Promise<number> {
  const chapters = readChapters();
  const wish = parseWords(args, chapters, new Date());
  if (wish === "help") {
    console.log(help().join("\n"));
    return 0;
  }
  if (existsSync(join(ROOT, "edition.json")))
    throw new Complaint("this is an edition itself: editions are made from the whole project");
  if (existsSync(wish.out))
    throw new Complaint(`${wish.out} is there already: delete it or choose another out=FOLDER`);
  const selected = select(chapters, wish);
  const answers = answersOf(
    selected.filter(({ isOpen }) => !isOpen).map(({ chapter }) => chapter),
    (chapter, task) => !selected.some(one => one.chapter === chapter && one.given.includes(task)),
  );
  const files = await editionFiles(wish, selected, answers);
  const name = `vmexit-${wish.kind}`;
  const { folder, archive } = pack(files, wish.out, name, messageOf(wish));
  if (wish.hasSite) buildSite(folder, join(wish.out, "site"));
  console.log(summary(wish, selected, folder, archive).join("\n"));
  return wish.kind === "student" ? search(wish, answers, hintsOf(chapters)) : 0;
}

function messageOf({ kind, today }: Wish): string {
  return `vmexit, the ${kind} edition of ${today}`;
}

/** Builds the edition's own site from the edition's own files. */
function buildSite(folder: string, out: string): void {
  const modules = join(folder, "node_modules");
  symlinkSync(join(ROOT, "node_modules"), modules);
  try {
    const vitepress = join(ROOT, "node_modules/vitepress/bin/vitepress.js");
    execFileSync(process.execPath, [vitepress, "build", folder, "--outDir", out], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, NODE_ENV: "production" },
    });
  } catch (error) {
    if (!(error instanceof Error && "stderr" in error)) throw error;
    throw new Complaint(`the edition's site does not build\n${String(error.stderr).trimEnd()}`);
  } finally {
    rmSync(modules);
  }
}

function summary(wish: Wish, selected: readonly Selected[], folder: string, archive: string): string[] {
  return [
    `${wish.kind} edition of ${wish.today}`,
    `  folder and repository  ${folder}`,
    `  archive                ${archive}`,
    ...(wish.hasSite ? [`  site                   ${join(wish.out, "site")}`] : []),
    ...selected
      .filter(({ tasks }) => tasks.length > 0)
      .map(({ chapter, tasks, given, due, isOpen }) => {
        const points = tasks.reduce((sum, task) => sum + task.points, 0);
        const rest = [
          given.length > 0 && `${given.length} given`,
          due && `due ${due}`,
          wish.kind === "student" && (isOpen ? "reference open" : opening(wish, chapter.number)),
        ].filter(Boolean);
        return `  ${chapter.number} ${chapter.title}: ${tasks.length} tasks, ${points} points${rest.map(word => `, ${word}`).join("")}`;
      }),
  ];
}

function opening({ open }: Wish, chapter: number): string {
  const date = open.get(chapter);
  return date ? `reference closed until ${date}: release again then` : "reference closed";
}

function hintsOf(chapters: readonly Chapter[]): string[] {
  return chapters.flatMap(({ tasks }) => tasks.flatMap(({ hints }) => hints));
}

function search(wish: Wish, answers: readonly Answer[], hints: readonly string[]): number {
  const leaks = findLeaks(wish.out, answers, hints);
  for (const { place, answer, text } of leaks) {
    console.log(`  answer of ${answer.key} (${answer.region}) in ${place}: ${text.slice(0, 60)}`);
  }
  if (leaks.length > 0)
    throw new Complaint(`${leaks.length} answers can be read in ${wish.out}: do not hand it out`);
  const texts = answers.reduce((sum, { whole, lines }) => sum + lines.length + (whole ? 1 : 0), 0);
  console.log(
    `searched for ${texts} texts of ${answers.length} answers in files, archive and history: none is there`,
  );
  return 0;
}
