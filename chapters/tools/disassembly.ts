/**
 * Disassembly for people, by iced-x86. Loading it takes a tenth of a second, so it is loaded when asked for.
 */
import { hex, hexBytes } from "./exit-log.ts";

/** Machine code as the processor would read it. `address` is that of `bytes[0]`. */
export interface Code {
  readonly bytes: Uint8Array;
  readonly address: number | bigint;
  readonly bits: 16 | 32 | 64;
}

export interface DisassembledLine {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Decodes at most `count` instructions. Bytes that are none are shown as "(bad)". */
export type Disassembler = (code: Code, count: number) => DisassembledLine[];

export async function loadDisassembler(): Promise<Disassembler> {
  const iced = (await import("iced-x86")).default;
  const formatter = new iced.Formatter(iced.FormatterSyntax.Nasm);
  formatter.hexPrefix = "0x";
  formatter.hexSuffix = "";
  formatter.uppercaseHex = false;
  formatter.spaceAfterOperandSeparator = true;
  formatter.smallHexNumbersInDecimal = false;
  formatter.branchLeadingZeros = false;
  return ({ bytes, address, bits }, count) => {
    const decoder = new iced.Decoder(bits, bytes, iced.DecoderOptions.None);
    decoder.ip = BigInt(address);
    const lines: DisassembledLine[] = [];
    let at = 0;
    while (lines.length < count && decoder.canDecode) {
      const instruction = decoder.decode();
      const size = instruction.length;
      lines.push({
        address: BigInt(address) + BigInt(at),
        bytes: bytes.slice(at, at + size),
        text: formatter.format(instruction),
      });
      instruction.free();
      at += size;
    }
    decoder.free();
    return lines;
  };
}

/** The lines as text; the one at `rip` is marked with an arrow. */
export function listing(lines: readonly DisassembledLine[], rip: number | bigint): string[] {
  const bytes = lines.map(line => hexBytes(line.bytes));
  const width = Math.max(0, ...bytes.map(text => text.length));
  return lines.map((line, index) => {
    const mark = line.address === BigInt(rip) ? "→" : " ";
    return `${mark} ${hex(line.address, 8)}  ${bytes[index]!.padEnd(width)}  ${line.text}`;
  });
}
