/**
 * The instructions around the one to come. x86 code cannot be read backwards, so the window begins where a
 * forward reading arrives at the instruction pointer; and it stays while the pointer moves inside of it, so
 * that on a page the mark moves and not the text.
 */
import type { DisassembledLine, Disassembler } from "../../chapters/tools/disassembly.ts";

export interface CodeLine {
  /** Linear. */
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Reads one byte at a linear address; undefined where nothing is. */
export type ReadLinear = (linear: number) => number | undefined;

const LONGEST_INSTRUCTION = 15;
/** How far back a reading may begin. */
const LOOK_BACK = 24;
const LINES_BEFORE = 4;

export class CodeWindow {
  #start = -1;

  constructor(private readonly lines: number) {}

  /** The lines to show while the next instruction is at linear address `ip`; `offset` turns linear into IP. */
  read(read: ReadLinear, disassemble: Disassembler, ip: number, base: number, bits: 16 | 32): CodeLine[] {
    const shown = this.#start >= 0 ? this.#from(this.#start, read, disassemble, base, bits) : [];
    const at = shown.findIndex(line => line.address === ip);
    if (at >= 0 && at < this.lines - 2) return shown;
    this.#start = this.#findStart(read, disassemble, ip, base, bits);
    return this.#from(this.#start, read, disassemble, base, bits);
  }

  /** The next `read` begins anew. */
  forget(): void {
    this.#start = -1;
  }

  #from(start: number, read: ReadLinear, disassemble: Disassembler, base: number, bits: 16 | 32): CodeLine[] {
    const bytes = bytesAt(read, start, this.lines * LONGEST_INSTRUCTION);
    return disassemble({ bytes, address: start - base, bits }, this.lines).map(line => codeLine(line, base));
  }

  #findStart(read: ReadLinear, disassemble: Disassembler, ip: number, base: number, bits: 16 | 32): number {
    for (let back = LOOK_BACK; back > 0; back--) {
      const start = ip - back;
      if (start < base || read(start) === undefined) continue;
      const lines = disassemble({ bytes: bytesAt(read, start, back), address: start, bits }, back);
      const whole = lines.filter(line => line.text !== "(bad)");
      const end = whole.at(-1);
      const arrives = end !== undefined && Number(end.address) + end.bytes.length === ip;
      if (!arrives || whole.length !== lines.length) continue;
      const code = whole.slice(whole.findLastIndex(isFiller) + 1);
      // A zero at the end of the filler taken for the first byte of the code would hide its first instruction.
      const begins = code.length === whole.length || code[0]?.bytes[0] !== 0;
      if (code.length > 0 && begins) return Number((code.at(-LINES_BEFORE) ?? code[0]!).address);
    }
    return ip;
  }
}

/** Zeroes between code and data read as an instruction, too. */
function isFiller({ bytes }: DisassembledLine): boolean {
  return bytes.every(byte => byte === 0);
}

function codeLine({ address, bytes, text }: DisassembledLine, base: number): CodeLine {
  return { address: (Number(address) + base) >>> 0, bytes, text };
}

function bytesAt(read: ReadLinear, start: number, most: number): Uint8Array {
  const bytes: number[] = [];
  for (let at = start; bytes.length < most; at++) {
    const byte = read(at >>> 0);
    if (byte === undefined) break;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
