/**
 * The outputs that the book shows: which command makes which, and the making.
 *
 * docs/outputs/outputs.json lists them. An output on a learner's layer names which, so that the book can show
 * a bug or the next hole without anybody having to make it:
 *
 * - `starter`: nothing is written;
 * - `before TASK`: all tasks before this one are, in the order of chapter.json, and nothing after;
 * - `before TASK with TASK`: one of a later section too, since the page asks for it early;
 * - the id of a mistake of chapter.json: everything is written, with this mistake.
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Chapter } from "./chapter-manifest.ts";
import { ROOT, readChapters } from "./chapters.ts";
import { Complaint } from "./complaint.ts";
import { classOutput } from "./grade/book-class.ts";
import { bundleWithLayers, cacheBundle, type LayerTexts } from "./layer-bundle.ts";
import { layerWith, layerWithMistake, starterLayer } from "./layer-variants.ts";

export interface BookOutput {
  /** In docs/outputs/. */
  readonly file: string;
  /** The command as the book shows it: `npm run chapter N words`; on the book's class, see book-class.ts. */
  readonly run: string;
  /** On the book's class: commands that are run before, unseen. Those of the class have this, if empty. */
  readonly first?: readonly string[];
  /** Where the command runs a learner's layer: which (see the head of this file). */
  readonly layer?: string;
  /** The test that holds it, where the command fetches its guest: `npm run outputs` makes it only by name. */
  readonly heldBy?: string;
}

export const OUTPUTS = "docs/outputs";
/** What is fetched and boots a whole system takes its time. */
const LONG_MILLISECONDS = 900_000;

export function bookOutputs(): BookOutput[] {
  return JSON.parse(readFileSync(join(ROOT, OUTPUTS, "outputs.json"), "utf8")) as BookOutput[];
}

/** Runs the command and returns its text: the prompt's line, then all that it printed. */
export async function makeOutput({ run, layer, file, heldBy, first }: BookOutput): Promise<string> {
  if (first) return `$ ${run}\n${classOutput(run, first)}`;
  const [, number, rest = ""] = /^npm run chapter (\d+)(.*)$/.exec(run) ?? [];
  const chapter = readChapters().find(one => one.number === Number(number));
  if (!chapter) throw new Complaint(`${OUTPUTS}/outputs.json: ${file}: “${run}” runs no chapter`);
  const words = rest.split(" ").filter(Boolean);
  if (!layer) {
    const args = ["--import", "tsx", "chapters/tools/chapter.ts", number!, ...words];
    return `$ ${run}\n${capture(args, heldBy ? LONG_MILLISECONDS : undefined)}`;
  }

  const texts = learnersLayer(chapter, layer);
  if (!texts) {
    throw new Complaint(`${OUTPUTS}/outputs.json: ${file}: chapter ${number} has no layer “${layer}”`);
  }
  const entry = `import "./chapters/tools/report-errors.ts"; import "./chapters/${chapter.name}/main.ts";`;
  const bundle = cacheBundle(await bundleWithLayers(entry, texts));
  return `$ ${run}\n${capture(["--enable-source-maps", bundle, ...words])}`;
}

function learnersLayer(chapter: Chapter, layer: string): LayerTexts | undefined {
  if (layer === "starter") return starterLayer(chapter);
  const [, next, early] = /^before (\S+)(?: with (\S+))?$/.exec(layer) ?? [];
  if (next) {
    const at = chapter.tasks.findIndex(({ id }) => id === next);
    const written = chapter.tasks.filter(({ id }, place) => place < at || id === early);
    return at < 0 || written.length !== at + (early ? 1 : 0) ? undefined : layerWith(chapter, written);
  }
  const mistake = chapter.mistakes.find(({ id }) => id === layer);
  return mistake && layerWithMistake(chapter, mistake);
}

/** What `node …args` prints on both streams, in order and without colours. */
function capture(args: readonly string[], timeout = 60_000): string {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-output-"));
  const path = join(folder, "output.txt");
  const file = openSync(path, "w");
  try {
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
    spawnSync(process.execPath, args, { cwd: ROOT, stdio: ["ignore", file, file], timeout, env });
    return readFileSync(path, "utf8");
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}
