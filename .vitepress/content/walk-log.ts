/**
 * Reads page walks back from terminal output, so that figures show the entries that a guest really made.
 * The lines are those of `chapters/03-paging/walk-lines.ts`.
 */
export interface LoggedEntry {
  /** Whose entry it is, in a walk of two dimensions. */
  readonly dimension: string | undefined;
  readonly name: string;
  /** Physical; `null` for a page-directory pointer in a register. */
  readonly address: number | null;
  readonly value: bigint;
  readonly bits: string;
  readonly decision: string;
}

export interface LoggedWalk {
  readonly linear: number;
  /** What the access wants, e.g. "read as user". */
  readonly to: string;
  readonly entries: readonly LoggedEntry[];
  /** The last line: where it leads, or why it does not. */
  readonly end: string;
}

const HEADING = /^\s*walk of (0x[\da-f_]+) to (.+), (?:2-level|PAE|4-level|none|in two dimensions)$/;
const ENTRY =
  /^\s*(?:\d+\s+(guest|EPT|NPT)\s+)?(PML4E|PDPTE|PDE|PTE)\s+(?:at (0x[\da-f_]+)|in a register)\s+(0x[\da-f_]+)\s(.*)\s(leads to a table|maps the page|not present|reserved bit set)$/;
const END = /^\s*((?:host-)?physical 0x.+|#PF.+|VM exit: .+)$/;

export function parseWalks(output: string): LoggedWalk[] {
  const walks: { linear: number; to: string; entries: LoggedEntry[]; end: string }[] = [];
  for (const line of output.split("\n")) {
    const heading = HEADING.exec(line);
    if (heading) walks.push({ linear: number(heading[1]!), to: heading[2]!, entries: [], end: "" });
    const walk = walks.at(-1);
    if (!walk) continue;
    const entry = ENTRY.exec(line);
    if (entry) {
      const [, dimension, name, address, value, bits, decision] = entry;
      walk.entries.push({
        dimension,
        name: name!,
        address: address === undefined ? null : number(address),
        value: BigInt(value!.replaceAll("_", "")),
        bits: bits!.trim(),
        decision: decision!,
      });
    }
    const end = END.exec(line);
    if (end) walk.end = end[1]!;
  }
  return walks;
}

function number(text: string): number {
  return Number(text.replaceAll("_", ""));
}
