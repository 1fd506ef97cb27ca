/** Cases of chapter 8 that the book does not print. */
import { noteBytes, word } from "../../../sandbox/boot/test-images.ts";
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "hidden");

const MIB = 0x10_0000;

describe("initrd", () => {
  it("fits exactly, and not by one page less", async ({ subject }) => {
    const room = { from: 8 * MIB, limit: 8 * MIB + 0x3000 };
    expect(await subject.call("placeInitrd", 0x2001, room)).toEqual({ value: 8 * MIB });
    expect(await subject.call("placeInitrd", 0x3001, room)).toHaveProperty("refused");
  });
});

describe("command-line", () => {
  it("counts bytes and not letters", async ({ subject }) => {
    expect(await subject.call("commandLine", "ü", 2)).toEqual({ value: Uint8Array.of(0xc3, 0xbc, 0) });
    expect(await subject.call("commandLine", "ü", 1)).toHaveProperty("refused");
  });
});

describe("e820", () => {
  it("writes sizes of more than 32 bits", async ({ subject }) => {
    const map = [{ start: 4096 * MIB, size: 8192 * MIB, type: "usable" }] as const;
    const page = await subject.call("e820", map);
    const view = new DataView(page.buffer, page.byteOffset);
    expect([view.getBigUint64(0x2d0, true), view.getBigUint64(0x2d8, true)]).toEqual([
      0x1_0000_0000n,
      0x2_0000_0000n,
    ]);
  });
});

describe("pvh-entry", () => {
  it("is no other owner's note of the same type", async ({ subject }) => {
    const other = noteBytes({ owner: "GNU", type: 18, description: word(0x1234) });
    const own = noteBytes({ owner: "Xen", type: 18, description: word(0x10_0000) });
    expect(await subject.call("pvhEntry", [other, own])).toEqual({ value: 0x10_0000 });
    expect(await subject.call("pvhEntry", [other])).toEqual({ value: null });
  });
});

describe("enter-pvh", () => {
  it("names the start info by EBX, wherever it lies", async ({ subject }) => {
    const { regs, sregs } = await subject.call("enterPvh", 0x123_4560, 0x5_4000);
    expect([regs.rip, regs.rbx]).toEqual([0x123_4560n, 0x5_4000n]);
    expect([sregs.cr0 & 1n, sregs.cr0 >> 31n, sregs.cr4 & 0xffffn]).toEqual([1n, 0n, 0n]);
  });
});
