/** The table of all forms: what they were compared with, and how it went. */
import { readFileSync } from "node:fs";
import type { Hypervisor } from "../../kvm/api.ts";
import { runImage } from "../system/guest/run-image.ts";
import { GROUPS, type Group } from "./forms.ts";
import { CaseMachine } from "./machine.ts";
import { loadVectors } from "./record.ts";
import { type FormResult, newResult, replayForm } from "./replay.ts";
import { casesOf } from "./third-opinion.ts";

export type Verdict = "pass" | "explained" | "unsupported" | "FAIL";

export const verdictOf = (result: FormResult): Verdict => {
  if (result.failed > 0) return "FAIL";
  if (result.unsupported > 0) return "unsupported";
  return result.explained > 0 ? "explained" : "pass";
};

/** Replays recorded forms of the groups; `stride` takes every so many cases. */
export function replayAll(
  hypervisor: Hypervisor,
  groups: readonly Group[] = GROUPS,
  stride = 1,
): FormResult[] {
  const machine = new CaseMachine(hypervisor);
  const results = groups.flatMap(group => loadVectors(group).map(form => replayForm(machine, form, stride)));
  machine.close();
  return results;
}

export function formatTable(results: readonly FormResult[]): string {
  const rows = results.map(result => [
    result.form,
    result.oracle,
    String(result.cases),
    String(result.passed),
    String(result.explained),
    String(result.failed),
    String(result.unsupported),
    verdictOf(result),
  ]);
  const header = ["form", "oracle", "cases", "passed", "explained", "failed", "unsupported", "verdict"];
  const widths = header.map((title, at) => Math.max(title.length, ...rows.map(row => row[at]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at >= 2 && at <= 6 ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join("  ")
      .trimEnd();
  const reasons = new Map<string, string[]>();
  for (const { form, reasons: own } of results) {
    for (const reason of own) reasons.set(reason, [...(reasons.get(reason) ?? []), form]);
  }
  const explanations = [...reasons].map(
    ([reason, forms]) =>
      `- ${reason}\n  ${forms.length} forms: ${forms.slice(0, 12).join(", ")}${forms.length > 12 ? ", …" : ""}`,
  );
  return [
    line(header),
    ...rows.map(line),
    "",
    ...(explanations.length ? ["Explained differences:", ...explanations, ""] : []),
    summary(results),
  ].join("\n");
}

export function summary(results: readonly FormResult[]): string {
  const sum = (pick: (result: FormResult) => number): number =>
    results.reduce((total, result) => total + pick(result), 0);
  const failing = results.filter(result => verdictOf(result) === "FAIL").length;
  return [
    `${results.length} forms, ${sum(r => r.cases)} cases: ${sum(r => r.passed)} passed`,
    `(of them ${sum(r => r.undefinedDiffers)} differ in undefined flags)`,
    `${sum(r => r.explained)} explained, ${sum(r => r.failed)} failed in ${failing} forms, ${sum(r => r.unsupported)} unsupported`,
  ].join(", ");
}

/** The images of sandbox/cpu/system/guest, a row an image, against what another emulator printed. */
export function replayImages(
  oracle: string,
  printedBy: (image: Uint8Array, name: string) => string,
  known: Readonly<Record<string, string>>,
  names: readonly string[],
  normalize: (text: string) => string = text => text,
): FormResult[] {
  return names.map(name => {
    const file = new URL(`../system/guest/${name}.img`, import.meta.url);
    const result = newResult(`image ${name}`, oracle);
    const ours = casesOf(normalize(runImage(file).output));
    for (const [title, text] of casesOf(normalize(printedBy(readFileSync(file), name)))) {
      if (!ours.has(title)) continue;
      result.cases++;
      if (ours.get(title) === text) result.passed++;
      else if (title in known) {
        result.explained++;
        result.reasons.add(known[title]!);
      } else result.failed++;
    }
    return result;
  });
}

/** What Bochs printed when the images were recorded. */
export const recordedBochs = (_image: Uint8Array, name: string): string =>
  readFileSync(new URL(`../system/guest/${name}.bochs.txt`, import.meta.url), "utf8");

/** For programs: the same table as JSON. */
export function tableAsJson(results: readonly FormResult[]): string {
  const rows = results.map(({ firstFailure: _, reasons, ...counts }) => ({
    ...counts,
    verdict: verdictOf({ ...counts, reasons }),
    reasons: [...reasons],
  }));
  return JSON.stringify(rows, null, 1);
}
