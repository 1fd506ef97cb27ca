/** A case in words: for failures that a person must understand. */
import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from "iced-x86";
import { type CaseInput, GPR_NAMES, type Outcome } from "./case.ts";
import { flagNames, vectorName } from "./compare.ts";
import type { Failure } from "./replay.ts";
import { DATA, WORLDS } from "./world.ts";

const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, "0");
const bytesOf = (bytes: Uint8Array): string => Array.from(bytes, byte => hex(byte, 2)).join(" ");

/** The instructions at the start of `code`, as a disassembler that is not ours reads them. */
export function disassemble(code: Uint8Array, bits: 16 | 32, eip: number, count = 1): string[] {
  const padded = new Uint8Array(code.length + 16).fill(0xcc);
  padded.set(code);
  const decoder = new Decoder(bits, padded, DecoderOptions.None);
  decoder.ip = BigInt(eip);
  const formatter = new Formatter(FormatterSyntax.Intel);
  const lines: string[] = [];
  for (let at = 0; at < count && decoder.position < code.length; at++) {
    const instruction = decoder.decode();
    lines.push(formatter.format(instruction));
    instruction.free();
  }
  formatter.free();
  decoder.free();
  return lines;
}

function registers(gpr: Uint32Array, eflags: number): string {
  return `${GPR_NAMES.map((name, at) => `${name}=${hex(gpr[at]!)}`).join(" ")} ${flagNames(eflags)}`;
}

function outcomeLines(name: string, outcome: Outcome): string[] {
  const memory = outcome.changes
    .slice(0, 24)
    .map(([offset, value]) => `${hex(DATA + offset, 5)}=${hex(value, 2)}`)
    .join(" ");
  const error = outcome.errorCode ? `(${hex(outcome.errorCode, 4)})` : "";
  const fault = outcome.vector === 3 ? "" : `${vectorName(outcome.vector)}${error} `;
  return [
    `  ${name} ${fault}eip=${hex(outcome.eip)} ${registers(outcome.gpr, outcome.eflags)}`,
    ...(memory ? [`    memory ${memory}`] : []),
  ];
}

export function describeInput(input: CaseInput): string[] {
  const world = WORLDS[input.world]!;
  const lines = [
    `  ${bytesOf(input.code)}   ${disassemble(input.code, world.bits, input.eip).join("; ")}   (${world.name})`,
    `  before   eip=${hex(input.eip)} ${registers(input.gpr, input.eflags)}`,
    `    data window ${bytesOf(input.data.subarray(0, 64))}`,
    `                ${bytesOf(input.data.subarray(64))}`,
    `    stack window ${bytesOf(input.stack)}`,
  ];
  if (input.fx) lines.push(`    fxsave ${bytesOf(input.fx.subarray(0, 32))}`, ...fxLines(input.fx));
  return lines;
}

function fxLines(fx: Uint8Array): string[] {
  return Array.from({ length: 8 }, (_, slot) => {
    const st = [...fx.subarray(32 + 16 * slot, 42 + 16 * slot)].reverse();
    const xmm = [...fx.subarray(160 + 16 * slot, 176 + 16 * slot)].reverse();
    const text = (bytes: number[]): string => bytes.map(byte => hex(byte, 2)).join("");
    return `    st${slot} ${text(st.slice(0, 2))}:${text(st.slice(2))}   xmm${slot} ${text(xmm)}`;
  });
}

export function describeFailure(form: string, failure: Failure): string {
  const { input, expected, got, differences } = failure;
  return [
    form,
    ...describeInput(input),
    ...outcomeLines("expected", expected),
    ...("problem" in got ? [`  got      ${got.problem}`] : outcomeLines("got     ", got)),
    ...differences.slice(0, 12).map(({ what, expected: a, got: b }) => `  ${what}: expected ${a}, got ${b}`),
  ].join("\n");
}
