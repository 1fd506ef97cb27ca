/** When an edition's chapters are due; the whole project has no such dates. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Complaint } from "../complaint.ts";

/** What `npm run release` writes into an edition. */
export const EDITION_FILE = "edition.json";

/** Dates as in 2026-10-01, by chapter's name. */
export function readDueDates(root: string): ReadonlyMap<string, string> {
  const path = join(root, EDITION_FILE);
  if (!existsSync(path)) return new Map();
  try {
    const { chapters } = JSON.parse(readFileSync(path, "utf8")) as {
      chapters: { name: string; due?: string }[];
    };
    return new Map(chapters.flatMap(({ name, due }) => (due ? [[name, due] as const] : [])));
  } catch {
    throw new Complaint(`${EDITION_FILE} cannot be read: \`git checkout ${EDITION_FILE}\` brings it back`);
  }
}
