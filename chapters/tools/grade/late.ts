/** What lateness costs, from a file like the following. Pure but for reading it.
 *
 *     { "due": "2026-10-01T23:59:00Z", "graceMinutes": 15, "perDay": 0.1, "lowest": 0.5,
 *       "extensions": { "doejane_4711": "2026-10-08T23:59:00Z" } }
 */
import { readFileSync } from "node:fs";
import { Complaint } from "../complaint.ts";
import { scalePoints } from "./points.ts";
import type { GradeResult } from "./result.ts";

export interface LatePolicy {
  readonly due: string;
  readonly graceMinutes: number;
  /** The share of the score that each day begun costs. */
  readonly perDay: number;
  /** No submission is worth less than this share by lateness alone. */
  readonly lowest: number;
  readonly extensions: Readonly<Record<string, string>>;
}

const DAY = 24 * 60 * 60 * 1000;

export function readLatePolicy(path: string): LatePolicy {
  const document = JSON.parse(readFileSync(path, "utf8")) as Partial<LatePolicy>;
  const { due, graceMinutes = 0, perDay = 0, lowest = 0, extensions = {} } = document;
  const known = ["due", "graceMinutes", "perDay", "lowest", "extensions"];
  const unknown = Object.keys(document).find(field => !known.includes(field));
  if (unknown) throw new Complaint(`${path}: ${unknown} is unknown; known are ${known.join(", ")}`);
  for (const time of [due, ...Object.values(extensions)]) {
    if (typeof time !== "string" || !isTime(time)) {
      throw new Complaint(`${path}: “${time}” is no time as in 2026-10-01T23:59:00Z`);
    }
  }
  for (const [name, share] of Object.entries({ perDay, lowest })) {
    if (!(share >= 0 && share <= 1)) throw new Complaint(`${path}: ${name} is a share from 0 to 1`);
  }
  if (!(graceMinutes >= 0)) throw new Complaint(`${path}: graceMinutes is a number from 0 on`);
  return { due: due!, graceMinutes, perDay, lowest, extensions };
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text));
}

/** When each was handed in: lines of “id,time”, with or without a heading. */
export function readHandedIn(path: string): Map<string, string> {
  const lines = readFileSync(path, "utf8").split(/\r?\n/).filter(Boolean);
  const rows = lines.map(line => line.split(",").map(cell => cell.trim().replace(/^"|"$/g, "")));
  const times = rows.filter(([, time = ""], at) => at > 0 || isTime(time));
  const wrong = times.find(([, time = ""]) => !isTime(time));
  if (wrong) throw new Complaint(`${path}: “${wrong.join(",")}” is no “submission,time”`);
  return new Map(times.map(([id = "", time = ""]) => [id, time]));
}

/** The result with what lateness costs. Without a score nothing is taken off. */
export function withLateness(
  result: GradeResult,
  handedIn: string | undefined,
  policy: LatePolicy,
): GradeResult {
  const { score } = result;
  if (score === null || handedIn === undefined) return result;
  const due = policy.extensions[result.submission.id] ?? policy.due;
  const late = Date.parse(handedIn) - Date.parse(due) - policy.graceMinutes * 60_000;
  if (late <= 0) return result;
  const daysLate = Math.ceil(late / DAY);
  const factor = Math.round(Math.max(policy.lowest, 1 - daysLate * policy.perDay) * 10_000) / 10_000;
  return {
    ...result,
    score: scalePoints(score, factor),
    late: { due, handedIn, daysLate, factor, scoreBefore: score },
  };
}
