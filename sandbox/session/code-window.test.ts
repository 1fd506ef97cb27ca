import { describe, expect, it } from "vitest";
import { loadDisassembler } from "../../chapters/tools/disassembly.ts";
import { CodeWindow } from "./code-window.ts";

// mov ax,0x1234 · add ax,0x5678 · inc bx · jmp $-9 · nop …
const CODE = [0xb8, 0x34, 0x12, 0x05, 0x78, 0x56, 0x43, 0xeb, 0xf7, ...Array(60).fill(0x90)];
const BASE = 0x1000;
const read = (linear: number) => (linear >= BASE ? CODE[linear - BASE] : 0);

describe("the window of instructions", () => {
  it("begins before the next instruction, in step with it, and stays while that moves inside", async () => {
    const disassemble = await loadDisassembler();
    const window = new CodeWindow(12);
    const at = (ip: number) => window.read(read, disassemble, ip, 0, 16);
    const first = at(BASE + 6);
    expect(first.map(({ address }) => address).slice(-12)).toContain(BASE + 6);
    expect(first.find(({ address }) => address === BASE + 6)!.text).toBe("inc bx");
    expect(first.map(({ text }) => text)).toContain("add ax, 0x5678");
    expect(at(BASE + 7)).toEqual(first);
  });

  it("begins anew in the middle of what it showed as one instruction", async () => {
    const disassemble = await loadDisassembler();
    const window = new CodeWindow(12);
    window.read(read, disassemble, BASE, 0, 16);
    const inside = window.read(read, disassemble, BASE + 1, 0, 16);
    expect(inside.some(({ address }) => address === BASE + 1)).toBe(true);
  });

  it("takes no zero before the code for a part of it", async () => {
    const disassemble = await loadDisassembler();
    const sector = 0x7c00;
    // cli · cld · hlt
    const boot = (linear: number) => [0xfa, 0xfc, 0xf4][linear - sector] ?? 0;
    const shown = new CodeWindow(3).read(boot, disassemble, sector + 1, 0, 16);
    expect(shown.map(({ address, text }) => [address, text])).toEqual([
      [sector, "cli"],
      [sector + 1, "cld"],
      [sector + 2, "hlt"],
    ]);
  });

  it("shows nothing where nothing is", async () => {
    const window = new CodeWindow(12);
    expect(window.read(() => undefined, await loadDisassembler(), 0x5000, 0, 32)).toEqual([]);
  });
});
