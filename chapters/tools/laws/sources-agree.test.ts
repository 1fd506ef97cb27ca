/** Law 5: one source, many views. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { layerFiles, ROOT, readChapters } from "../chapters.ts";
import { findRegions } from "../regions.ts";
import { starterFiles } from "../starter-files.ts";
import { filesBelow } from "./sources.ts";

const chapters = readChapters();
const text = (file: string) => readFileSync(join(ROOT, file), "utf8");

describe("starters", () => {
  for (const { path, state } of starterFiles()) {
    it(`${path} is what the generator makes`, ({ skip }) => {
      if (state === "edited") skip(`${path} has a learner's work in it`);
      expect(state, "run `npm run starters`").toBe("same");
    });
  }

  it("have the regions of their solutions", () => {
    for (const { path, text, chapter } of starterFiles()) {
      const file = path.split("/").at(-1)!;
      const solution = readFileSync(join(ROOT, "solutions", chapter.name, file), "utf8");
      const names = (source: string) => findRegions(path, source).map(({ name }) => name);
      expect(names(text), path).toEqual(names(solution));
    }
  });
});

describe("chapter.json", () => {
  for (const { name, tasks, guests, mistakes } of chapters) {
    const regionsOf = (file: string) => {
      const path = `solutions/${name}/${file}`;
      return existsSync(join(ROOT, path)) ? findRegions(path, text(path)).map(region => region.name) : [];
    };

    it(`${name}: every region of a task is in the solutions`, () => {
      const named = tasks.flatMap(({ file, regions }) => regions.map(region => `${file}#${region}`));
      expect(named.filter(one => !regionsOf(one.split("#")[0]!).includes(one.split("#")[1]!))).toEqual([]);
    });

    it(`${name}: every exercise of the solutions is of one task`, () => {
      const exercises = layerFiles(name).flatMap(file => {
        const regions = new Set(regionsOf(file).filter(region => region.startsWith("exercise-")));
        return [...regions].map(region => ({ file, region }));
      });
      for (const { file, region } of exercises) {
        const owners = tasks.filter(task => task.file === file && task.regions.includes(region));
        expect(
          owners.map(({ id }) => id),
          `${file}#${region}`,
        ).toHaveLength(1);
      }
    });

    it(`${name}: every guest has its source and its image`, () => {
      const files = guests.flatMap(({ source, image }) => [source, image]);
      expect(files.filter(file => !existsSync(join(ROOT, "chapters", name, file)))).toEqual([]);
    });

    it(`${name}: every mistake is an edit of one place`, () => {
      const wrong = mistakes.filter(({ file, find, replace }) => {
        return text(`solutions/${name}/${file}`).split(find).length !== 2 || find === replace;
      });
      expect(wrong.map(({ id }) => id)).toEqual([]);
    });

    const page = `docs/chapters/${name}.md`;
    it(`${name}: every heading of a task is on the chapter's page`, ({ skip }) => {
      if (!existsSync(join(ROOT, page))) skip(`${page} is not there`);
      const headings = [...text(page).matchAll(/^#{2,4} (.+?)(?: \{#(.+?)\})?$/gm)];
      const missing = tasks.filter(({ heading, anchor }) => {
        return !headings.some(([, title = "", id]) => title === heading && (id ?? slug(title)) === anchor);
      });
      expect(missing.map(({ id, heading, anchor }) => `${id}: “${heading}” (#${anchor})`)).toEqual([]);
    });
  }
});

describe("the book", () => {
  it("imports only snippets that exist", () => {
    const missing = filesBelow(["docs"], [".md"]).flatMap(page => {
      const lines = text(page).split("\n");
      return lines.flatMap((line, index) => {
        const [, path, region] = /^<<< +([^\s#{[]+)(?:#([\w-]+))?/.exec(line) ?? [];
        return path && !snippetExists(page, path, region) ? [`${page}:${index + 1} ${line}`] : [];
      });
    });
    expect(missing).toEqual([]);
  });
});

/** `@/` is the folder docs/, as in VitePress; everything else is relative to the page. */
function snippetExists(page: string, path: string, region: string | undefined): boolean {
  const file = path.startsWith("@/") ? join("docs", path.slice(2)) : join(dirname(page), path);
  if (!existsSync(join(ROOT, file))) return false;
  return !region || new RegExp(`#region ${region}\\s*$`, "m").test(text(file));
}

/** VitePress makes anchors so: small letters, everything else to hyphens. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");
}

describe("the project", () => {
  it("names no folder of the machine that it was written on", () => {
    const folders = ["chapters", "docs", "sandbox", "solutions", ".vitepress", ".ci"];
    const endings = [".ts", ".md", ".json", ".vue", ".css", ".asm", ".c", ".txt", ".sh", "run"];
    const workplace = new RegExp(["", "work", "(main|shared)"].join("/"));
    const files = [...filesBelow(folders, endings), "README.md", "package.json"].filter(file =>
      existsSync(join(ROOT, file)),
    );
    expect(files.filter(file => workplace.test(text(file)))).toEqual([]);
  });
});
