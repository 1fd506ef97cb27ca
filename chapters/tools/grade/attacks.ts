/**
 * The attack corpus: submissions that try to earn points, to read, to write or to break without writing
 * the exercise. Each is put behind an honest file twice: behind the solution, where it should cost nothing
 * unless it destroys its own work, and behind the starter, where it must earn nothing.
 *
 *     // tries: to replace structuredClone
 *     // honest: all          what it earns behind the solution: all, none, or any
 *     // open: any            the same without the first wall, the language
 *     // open-level: uid      below this level it would do real harm when opened, so it is not
 *     // file: 06-serial/uart.ts
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Chapter } from "../chapter-manifest.ts";
import { layerFiles, ROOT } from "../chapters.ts";
import { starterLayer } from "../layer-variants.ts";
import { LEVELS, type Level } from "./isolation.ts";
import { type Submission, submissionOf } from "./submission.ts";

const FOLDER = join(import.meta.dirname, "attacks");

export const EARNINGS = ["all", "none", "any"] as const;
export type Earnings = (typeof EARNINGS)[number];

export interface Attack {
  readonly name: string;
  readonly tries: string;
  readonly honest: Earnings;
  readonly open: Earnings;
  readonly openLevel: Level;
  /** The layer file that it stands in, e.g. "06-serial/uart.ts". */
  readonly file: string;
  readonly text: string;
}

/** What the texts may name: a secret to read, a folder to write to, a port to call. */
export interface Targets {
  readonly secret: string;
  readonly folder: string;
  readonly port: number;
}

export function readAttacks(): Attack[] {
  return readdirSync(FOLDER)
    .filter(file => file.endsWith(".txt"))
    .sort()
    .map(file => parseAttack(file.replace(/\.txt$/, ""), readFileSync(join(FOLDER, file), "utf8")));
}

function parseAttack(name: string, text: string): Attack {
  const field = (key: string, otherwise?: string) => {
    const value = new RegExp(`^// ${key}: (.+)$`, "m").exec(text)?.[1] ?? otherwise;
    if (value === undefined) throw new Error(`attacks/${name}.txt lacks “// ${key}: …”`);
    return value;
  };
  const one = <Value extends string>(key: string, values: readonly Value[], otherwise: Value) => {
    const value = values.find(known => known === field(key, otherwise));
    if (value === undefined) throw new Error(`attacks/${name}.txt: ${key} is one of ${values.join(", ")}`);
    return value;
  };
  return {
    name,
    tries: field("tries"),
    honest: one("honest", EARNINGS, "any"),
    open: one("open", EARNINGS, "any"),
    openLevel: one("open-level", LEVELS, "node"),
    file: field("file", "06-serial/uart.ts"),
    text,
  };
}

/** The attack in a whole layer, behind the solution's text or the starter's. */
export function attackSubmission(
  attack: Attack,
  chapter: Chapter,
  behind: "solution" | "starter",
  targets: Targets,
): Submission {
  const texts =
    behind === "starter"
      ? starterLayer(chapter)
      : new Map(
          layerFiles(chapter.name).map(file => {
            const path = `${chapter.name}/${file}`;
            return [path, readFileSync(join(ROOT, "solutions", path), "utf8")] as const;
          }),
        );
  const own = texts.get(attack.file);
  if (own === undefined) throw new Error(`attacks/${attack.name}.txt: ${attack.file} is no layer file`);
  const aimed = attack.text
    .replaceAll("@SECRET@", targets.secret)
    .replaceAll("@FOLDER@", targets.folder)
    .replaceAll("@PORT@", String(targets.port))
    .replaceAll("@ROOT@", ROOT);
  return submissionOf(`${attack.name}-${behind}`, new Map([...texts, [attack.file, `${own}\n${aimed}`]]));
}
