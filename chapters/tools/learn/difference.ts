/** The learner's regions of a task beside the reference's, as a unified diff. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { structuredPatch } from "diff";
import { ROOT } from "../chapters.ts";
import { regionsOf, type Step } from "./course.ts";

/** Whether the reference's sources are here to be read; a student edition holds them back. */
export function hasReference({ chapter, task }: Step): boolean {
  return regionsOf(`solutions/${chapter.name}/${task.file}`, task.regions).length > 0;
}

/** Lines that begin with -, + or a space: the learner's, the reference's, both. */
export function differenceToReference(step: Step): string[] {
  const reference = `solutions/${step.chapter.name}/${step.task.file}`;
  const mine = textOf(step.path, step.task.regions);
  const theirs = textOf(reference, step.task.regions);
  const { hunks } = structuredPatch(step.path, reference, mine, theirs, undefined, undefined, { context: 2 });
  if (hunks.length === 0) return ["no difference: word for word the reference's"];
  return [
    `- ${step.path}`,
    `+ ${reference}`,
    ...hunks.flatMap(({ lines }) => ["", ...lines.filter(line => !line.startsWith("\\"))]),
  ];
}

/** The bodies of the regions, or the whole file where the markers are gone. */
function textOf(path: string, names: readonly string[]): string {
  const full = join(ROOT, path);
  const text = existsSync(full) ? readFileSync(full, "utf8").replaceAll("\r\n", "\n") : "";
  const regions = regionsOf(path, names);
  if (regions.length === 0) return text;
  const lines = text.split("\n");
  return `${regions.map(({ start, end }) => lines.slice(start + 1, end).join("\n")).join("\n")}\n`;
}
