/**
 * What every guest of the chapters prints and how it ends, where no typing but what stands here is done: for the
 * tests of sessions in Node, and of machines in a browser.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GUESTS as MINIMAL } from "../../chapters/01-minimal-vm/guests.ts";
import { GUESTS as REAL } from "../../chapters/02-real-mode/guests.ts";
import { GUESTS as PAGING } from "../../chapters/03-paging/guests.ts";
import { GUESTS as INTERRUPTS } from "../../chapters/04-interrupts/guests.ts";

export interface KnownRun {
  readonly chapter: string;
  readonly guest: string;
  readonly output: string;
  readonly ends: string;
  /** Typed before the run begins. */
  readonly typed?: string;
}

const ROOT = join(import.meta.dirname, "../..");

/** What the book shows of a guest's own lines, without the times that the book adds. */
function shown(file: string): string {
  const text = readFileSync(join(ROOT, "docs/outputs", file), "utf8");
  const lines = [...text.matchAll(/^guest │ (.*)$/gm)].map(([, line]) => line!.replace(/ +[\d.]+ ms$/, ""));
  return lines.map(line => `${line}\n`).join("");
}

export const KNOWN_RUNS: readonly KnownRun[] = [
  ...MINIMAL.map(({ name, output, ends }) => ({ chapter: "01-minimal-vm", guest: name, output, ends })),
  ...REAL.map(({ name, output }) => ({ chapter: "02-real-mode", guest: name, output, ends: "HLT" })),
  ...PAGING.map(({ name, output }) => ({ chapter: "03-paging", guest: name, output, ends: "HLT" })),
  ...INTERRUPTS.map(({ name, output, last }) => ({
    chapter: "04-interrupts",
    guest: name,
    output,
    ends: last,
  })),
  ...["clock", "waves", "melody"].map(guest => {
    return { chapter: "05-pit", guest, output: shown(`05-${guest}.txt`), ends: "HLT" };
  }),
  ...["hello", "loopback"].map(guest => {
    return { chapter: "06-serial", guest, output: shown(`06-${guest}.txt`), ends: "HLT" };
  }),
  {
    chapter: "06-serial",
    guest: "echo",
    typed: "every byte you paste arrives,\nnone is lost: the line waits for the guest.\n\x04",
    output: shown("06-echo.txt"),
    ends: "HLT",
  },
  ...["ping", "arp", "burst", "probe"].map(guest => {
    return { chapter: "07-virtio-net", guest, output: shown(`07-${guest}.txt`), ends: "HLT" };
  }),
  ...["tiny", "entry", "pvh"].map(guest => {
    return { chapter: "08-linux", guest, output: shown(`08-${guest}.txt`), ends: "HLT" };
  }),
];

export function guestImagePath(chapter: string, guest: string): string {
  return join(ROOT, "chapters", chapter, `guest/${guest}.bin`);
}
