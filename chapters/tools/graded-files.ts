/** The graded tests on disk: the public ones beside the chapter's files, the others in folders of their own. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Chapter } from "./chapter-manifest.ts";
import { ROOT } from "./chapters.ts";
import { collectTests } from "./collector.ts";
import type { GradedTest } from "./suite.ts";

/** Where tests lie that a learner's run leaves out; what is not there has no tests. */
const FOLDERS = ["", "hidden", "seeded"];

/** The files of a chapter that register graded tests, relative to chapters/, in a fixed order. */
export function gradedFiles({ name }: Chapter): string[] {
  return FOLDERS.flatMap(folder => {
    const path = join(ROOT, "chapters", name, folder);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter(file => file.endsWith(".test.ts") && readFileSync(join(path, file), "utf8").includes("graded<"))
      .sort()
      .map(file => join(name, folder, file));
  });
}

const collected = new Map<string, Promise<GradedTest[]>>();

/** The graded tests of a chapter; their files are imported once. */
export function gradedTests(chapter: Chapter): Promise<GradedTest[]> {
  const known = collected.get(chapter.name);
  if (known) return known;
  const tests = collectTests(async () => {
    for (const file of gradedFiles(chapter)) await import(/* @vite-ignore */ `../${file}`);
  });
  collected.set(chapter.name, tests);
  return tests;
}
