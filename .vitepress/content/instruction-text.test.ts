import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadDisassembler } from "../../chapters/tools/disassembly.ts";
import { instructionText } from "./instruction-text.ts";

const ROOT = join(import.meta.dirname, "../..");

describe("the text of an instruction in the page", () => {
  it.each(["boot", "conditions", "segments", "mandelbrot"])(
    "has the length that a disassembler says, all through %s",
    async name => {
      const image = new Uint8Array(readFileSync(join(ROOT, `chapters/02-real-mode/guest/${name}.bin`)));
      const disassemble = await loadDisassembler();
      const lines = disassemble({ bytes: image, address: 0x7c00, bits: 16 }, 150);
      for (const line of lines) {
        const at = Number(line.address) - 0x7c00;
        const { length, text } = instructionText(image.subarray(at, at + 15));
        if (line.text === "(bad)") continue;
        expect(length, `${line.text}: ${text}`).toBe(line.bytes.length);
      }
    },
  );

  it("names operands as the opcode map does", () => {
    const text = (...bytes: number[]) => instructionText(Uint8Array.from(bytes)).text;
    expect(text(0x8a, 0x40, 0xff)).toBe("mov Gb,Eb");
    expect(text(0xf3, 0x6e)).toBe("rep outsb");
    expect(text(0x0f, 0x0a)).toBe("(bad)");
  });
});
