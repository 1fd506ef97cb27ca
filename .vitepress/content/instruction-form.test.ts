import { describe, expect, it } from "vitest";
import { instructionForm } from "./instruction-form.ts";

/** In the order OF SF ZF AF PF CF: w for a flag that is written, ? for one left undefined, - for one kept. */
function effects(...bytes: number[]): string {
  const { flags } = instructionForm(bytes)!;
  return Object.values(flags)
    .map(effect => ({ writes: "w", undefined: "?", keeps: "-" })[effect])
    .join("");
}

describe("what an instruction does to the flags", () => {
  // Each as in the "Flags Affected" of SDM vol. 2, or in vol. 1, appendix A.
  it.each([
    ["ADD AL, 1", [0x04, 1], "wwwwww"],
    ["INC AX keeps the carry", [0x40], "wwwww-"],
    ["AND leaves AF undefined", [0x24, 1], "www?ww"],
    ["MOV", [0xb0, 1], "------"],
    ["NOT, by the digit in its ModRM byte", [0xf6, 0xd0], "------"],
    ["NEG, by another digit", [0xf6, 0xd8], "wwwwww"],
    ["MUL", [0xf6, 0xe3], "w????w"],
    ["DIV", [0xf6, 0xf3], "??????"],
    ["REPE CMPSB, behind a prefix", [0xf3, 0xa6], "wwwwww"],
    ["JNE", [0x75, 0xfe], "------"],
    ["CMC", [0xf5], "-----w"],
    ["IMUL AX, BX, of two bytes", [0x0f, 0xaf, 0xc3], "w????w"],
  ])("%s", (_, bytes, wanted) => {
    expect(effects(...bytes)).toBe(wanted);
  });

  it("knows who has a ModRM byte", () => {
    expect(instructionForm([0x2e, 0x89, 0x07])?.hasModRm).toBe(true);
    expect(instructionForm([0x90])?.hasModRm).toBe(false);
  });
});
