/**
 * What a failing test says: what was expected and what came, the registers before and after, the exits,
 * the bytes, the instructions around the guest's, and where in the book to read.
 */
import type { Exit, Regs } from "../../sandbox/kvm/api.ts";
import type { Chapter, Task } from "./chapter-manifest.ts";
import { type Code, type DisassembledLine, listing, loadDisassembler } from "./disassembly.ts";
import { exitLine, hex, hexBytes } from "./exit-log.ts";
import { besideEachOther } from "./plain.ts";
import { holeRegion } from "./starter.ts";
import { registerLines } from "./vcpu-dump.ts";

/** What a test can show of a run. All of it is plain data. */
export interface Evidence {
  /** Registers at the start and at the end; only those that are given are printed. */
  readonly before?: Partial<Regs>;
  readonly after?: Partial<Regs>;
  readonly exits?: readonly Exit[];
  /** The guest's code, and where in it the instruction pointer stands. `address` is that of `bytes[0]`. */
  readonly code?: Code & { readonly rip: number | bigint };
  /** Guest memory, printed as a hex dump. */
  readonly memory?: { readonly address: number; readonly bytes: Uint8Array };
  /** A sentence of the test's own. */
  readonly note?: string;
}

/** The whole message of a failed test. A starter's hole needs no more than its own words. */
export async function explainFailure(
  error: unknown,
  where: { readonly chapter: Chapter; readonly task: Task },
  evidence: Evidence,
): Promise<string> {
  const message = error instanceof Error ? error.message : String(error);
  if (holeRegion(message)) return message;
  const parts = [
    [failureLine(error, message)],
    comparison(error),
    ...(await evidenceParts(evidence)),
    readOn(where),
  ];
  return parts
    .filter(lines => lines.length > 0)
    .map(lines => lines.join("\n"))
    .join("\n\n");
}

const SPEAK_FOR_THEMSELVES = ["AssertionError", "SubjectLimitError"];

/** Assertions and limits speak for themselves; an error of the learner's code is named. */
function failureLine(error: unknown, message: string): string {
  if (!(error instanceof Error) || SPEAK_FOR_THEMSELVES.includes(error.name)) return message;
  return `your code threw ${error.name}: ${message}`;
}

function comparison(error: unknown): string[] {
  if (!(error instanceof Error) || !("expected" in error) || !("actual" in error)) return [];
  if (error.expected === undefined && error.actual === undefined) return [];
  return besideEachOther(error.expected, error.actual, ["expected", "got"]);
}

async function evidenceParts({ note, before, after, exits, code, memory }: Evidence): Promise<string[][]> {
  const parts: string[][] = [];
  if (note) parts.push([note]);
  if (before && !after) parts.push(["registers at the start", ...registerLines(before, undefined)]);
  if (after) {
    if (before) parts.push(["registers before", ...registerLines(before, undefined)]);
    parts.push([`registers after${before ? " (* changed)" : ""}`, ...registerLines(after, before)]);
  }
  if (exits) parts.push(["exits", ...exits.map((exit, index) => exitLine(index + 1, exit))]);
  if (code) parts.push(["instructions (→ the next to execute)", ...listing(await around(code), code.rip)]);
  if (memory) parts.push(["memory", ...hexDump(memory.bytes, memory.address)]);
  return parts.map(([title = "", ...lines]) => [title, ...lines.map(line => `  ${line}`)]);
}

function readOn({ chapter, task }: { readonly chapter: Chapter; readonly task: Task }): string[] {
  return [`Read “${task.heading}”: docs/chapters/${chapter.name}.md#${task.anchor}`];
}

const SHOWN_BEFORE = 4;
const SHOWN_AFTER = 4;

/** Some instructions before and behind the instruction pointer, decoded from the code's first byte. */
async function around(code: Code & { readonly rip: number | bigint }): Promise<DisassembledLine[]> {
  const disassemble = await loadDisassembler();
  const lines = disassemble(code, code.bytes.length);
  const found = lines.findIndex(line => line.address >= BigInt(code.rip));
  const at = found < 0 ? lines.length : found;
  return lines.slice(Math.max(0, at - SHOWN_BEFORE), at + SHOWN_AFTER);
}

const DUMP_ROW = 16;

/** Sixteen bytes a line: address, bytes, the same as text. */
export function hexDump(bytes: Uint8Array, address: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += DUMP_ROW) {
    const row = bytes.subarray(at, at + DUMP_ROW);
    const text = Array.from(row, byte =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
    ).join("");
    lines.push(`${hex(address + at, 8)}  ${hexBytes(row).padEnd(DUMP_ROW * 3 - 1)}  ${text}`);
  }
  return lines;
}
