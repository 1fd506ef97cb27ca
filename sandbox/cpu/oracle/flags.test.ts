import { describe, expect, it } from "vitest";
import type { Form } from "../opcodes/form.ts";
import { FORMS } from "../opcodes/opcodes.ts";
import { COMPLETED } from "./case.ts";
import { undefinedOf } from "./flags.ts";
import { loadVectors } from "./record.ts";

const BITS: Readonly<Record<string, number>> = { o: 0x800, s: 0x80, z: 0x40, a: 0x10, p: 0x04, c: 0x01 };
const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** What the opcode map says: small letters are flags that the manual leaves undefined. */
function undefinedInMap(form: Form): number {
  return [...form.flags].reduce((bits, letter) => bits | (BITS[letter] ?? 0), 0);
}

function lineOf(code: readonly number[] | Uint8Array): Form | undefined {
  let at = 0;
  while (PREFIXES.has(code[at]!)) at++;
  const isTwoByte = code[at] === 0x0f;
  const opcode = isTwoByte ? 0x0f00 | code[at + 1]! : code[at]!;
  const reg = (code[at + (isTwoByte ? 2 : 1)]! >>> 3) & 7;
  return FORMS.find(
    form => form.opcode === opcode && (form.extension === undefined || form.extension === reg),
  );
}

describe("undefined flags", () => {
  it.each(["integer", "control"] as const)("are the opcode map's and the oracle's alike: %s", group => {
    const ofOracle = new Map<Form, number>();
    for (const packed of loadVectors(group)) {
      for (const { input, outcome } of packed.read()) {
        const line = outcome.vector === COMPLETED ? lineOf(input.code) : undefined;
        if (line) ofOracle.set(line, (ofOracle.get(line) ?? 0) | undefinedOf(input).flags);
      }
    }
    const text = (form: Form, bits: number) =>
      `${form.opcode.toString(16)}${form.extension === undefined ? "" : `/${form.extension}`} ${form.mnemonic} ${form.operands}: ${bits.toString(16)}`;
    const [map, oracle] = [...ofOracle].reduce<[string[], string[]]>(
      ([inMap, inOracle], [form, bits]) => [
        [...inMap, text(form, undefinedInMap(form))],
        [...inOracle, text(form, bits)],
      ],
      [[], []],
    );
    expect(ofOracle.size).toBeGreaterThan(30);
    expect(map).toEqual(oracle);
  });
});
