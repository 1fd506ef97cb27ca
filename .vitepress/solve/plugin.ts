/**
 * Gives the page what it solves exercises with, as modules that are loaded on demand, each chapter's apart:
 *
 * - `virtual:vmexit/layers`     the starters and what the editor completes
 * - `virtual:vmexit/references` the solutions, which are fetched after a task has passed
 * - `virtual:vmexit/bench`      the graded tests and the modules of their subjects, for the bench's worker
 * - `virtual:vmexit/modules`    the reference's layers file by file, and the machine around them
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";
import { chapterNames, layerFiles, ROOT, readChapter } from "../../chapters/tools/chapters.ts";
import { generatedStarter } from "../../chapters/tools/starter-files.ts";
import { layerModules, machineModules, subjectModules } from "./chapter-modules.ts";
import { declarationsFor } from "./declarations.ts";
import type { LayerFacts } from "./layer-facts.ts";
import { publicSuite } from "./suite-files.ts";

const PREFIX = "virtual:vmexit/";

export function solveInPage(): Plugin {
  return {
    name: "vmexit:solve-in-page",
    resolveId: id => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    async load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return undefined;
      const [kind, chapter] = id.slice(PREFIX.length + 1).split("/");
      switch (kind) {
        case "layers":
        case "references":
          return chapter
            ? constant(kind === "layers" ? layerFacts(chapter) : solutions(chapter))
            : loaders(kind);
        case "subject":
          return constant(await subjectModules(chapter!));
        case "bench":
          return `${loaders("subject", "SUBJECTS")}\n${suites()}`;
        case "modules":
          if (!chapter) return loaders("modules", "MODULES", ["layers", "machine"]);
          return constant(await (chapter === "layers" ? layerModules() : machineModules()));
        default:
          throw new Error(`there is no module ${id.slice(1)}`);
      }
    },
  };
}

/** A string that is parsed, which is faster than the same as a program. */
function constant(value: unknown): string {
  return `export default JSON.parse(${JSON.stringify(JSON.stringify(value))});`;
}

function loaders(kind: string, all = "CHAPTERS", names = chapterNames()): string {
  const lines = names.map(name => {
    const id = JSON.stringify(`${PREFIX}${kind}/${name}`);
    return `  ${JSON.stringify(name)}: async () => (await import(${id})).default,`;
  });
  return `export const ${all} = {\n${lines.join("\n")}\n};`;
}

function suites(): string {
  const lines = chapterNames().map(chapter => {
    const imports = publicSuite(readChapter(chapter)).map(
      path => `    await import(${JSON.stringify(path)});`,
    );
    return `  ${JSON.stringify(chapter)}: async () => {\n${imports.join("\n")}\n  },`;
  });
  return `export const SUITES = {\n${lines.join("\n")}\n};`;
}

export function layerFacts(name: string): LayerFacts {
  const chapter = readChapter(name);
  const starters = layerFiles(name).map(file => [file, generatedStarter(chapter, file)]);
  return {
    tasks: chapter.tasks,
    starters: Object.fromEntries(starters),
    declarations: declarationsFor(name),
  };
}

export function solutions(chapter: string): Readonly<Record<string, string>> {
  const files = layerFiles(chapter);
  return Object.fromEntries(
    files.map(file => [file, readFileSync(join(ROOT, "solutions", chapter, file), "utf8")]),
  );
}
