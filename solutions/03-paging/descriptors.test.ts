import { describe, expect, it } from "vitest";
import * as d from "./descriptors.ts";

const DATA = d.S | d.WRITABLE | d.P;
const CODE = d.S | d.CODE | d.READABLE | d.P;
const dpl = (level: number): number => level << 5;

describe("descriptors", () => {
  it("decodes Linux's flat segments", () => {
    // __KERNEL_CS and __USER_DS of a 32-bit Linux (arch/x86/include/asm/segment.h).
    const [low, high] = [0x0000_ffff, 0x00cf_9a00];
    expect(d.descriptorBase(low, high)).toBe(0);
    expect(d.descriptorLimit(low, high)).toBe(0xffff_ffff);
    expect(d.describeRights(d.accessRights(high))).toEqual([
      "code",
      "readable",
      "DPL 0",
      "present",
      "32-bit",
    ]);
    expect(d.describeRights(d.accessRights(0x00cf_f300))).toEqual([
      "data",
      "writable",
      "accessed",
      "DPL 3",
      "present",
      "32-bit",
    ]);
  });

  it("encodes what it decodes", () => {
    for (const [base, limit, rights] of [
      [0x1234_5678, 0xfffff, 0x409b],
      [0xfedc_ba98, 0xabcd_efff, 0xc0f3],
      [0, 0, 0x0089],
      [0xffff_ffff, 0xffff_ffff, 0xf0ff],
    ] as const) {
      const [low, high] = d.encodeDescriptor(base, limit, rights);
      expect([d.descriptorBase(low, high), d.descriptorLimit(low, high), d.accessRights(high)]).toEqual([
        base,
        limit,
        rights,
      ]);
    }
  });

  it("reads gates of both sizes", () => {
    const [low, high] = d.encodeGate(d.CALL_GATE32, 3, 0x1b, 0x1234_5678, 5);
    expect([d.gateSelector(low), d.gateOffset(low, high), d.gateParameters(high)]).toEqual([
      0x1b, 0x1234_5678, 5,
    ]);
    const [low16, high16] = d.encodeGate(d.TRAP_GATE16, 0, 8, 0x1234_5678);
    expect(d.gateOffset(low16, high16)).toBe(0x5678);
  });

  it("finds the bytes of a segment, expanding up or down", () => {
    expect(d.inSegment(0xffc, 4, 0xfff, DATA)).toBe(true);
    expect(d.inSegment(0xffd, 4, 0xfff, DATA)).toBe(false);
    const down = DATA | d.EXPAND_DOWN;
    expect(d.inSegment(0xfff, 1, 0xfff, down)).toBe(false);
    expect(d.inSegment(0x1000, 1, 0xfff, down)).toBe(true);
    expect(d.inSegment(0xffff, 2, 0xfff, down)).toBe(false);
    expect(d.inSegment(0xffff, 2, 0xfff, down | d.DB)).toBe(true);
  });
});

describe("checks", () => {
  /** Every DPL, RPL and CPL, against the rule in the manual's words. */
  it("data segments: both CPL and RPL must be at least as privileged as the segment", () => {
    for (let cpl = 0; cpl < 4; cpl++)
      for (let rpl = 0; rpl < 4; rpl++)
        for (let level = 0; level < 4; level++) {
          const fault = d.checkDataSegment(0x40 | rpl, DATA | dpl(level), cpl);
          const allowed = Math.max(cpl, rpl) <= level;
          expect(fault, `${cpl} ${rpl} ${level}`).toBe(allowed ? d.OK : (13 << 16) | 0x40);
          expect(d.checkDataSegment(0x40 | rpl, CODE | d.CONFORMING | dpl(level), cpl)).toBe(d.OK);
        }
  });

  it("stacks: CPL, RPL and DPL are one", () => {
    for (let cpl = 0; cpl < 4; cpl++)
      for (let rpl = 0; rpl < 4; rpl++)
        for (let level = 0; level < 4; level++) {
          const allowed = cpl === rpl && cpl === level;
          expect(d.checkStackSegment(0x40 | rpl, DATA | dpl(level), cpl) === d.OK).toBe(allowed);
        }
    expect(d.checkStackSegment(0x40, d.S | d.P, 0)).toBe((13 << 16) | 0x40);
    expect(d.checkStackSegment(0x40, DATA & ~d.P, 0)).toBe((12 << 16) | 0x40);
    expect(d.checkStackSegment(0x40, CODE, 0, 10)).toBe((10 << 16) | 0x40);
  });

  it("direct transfers: the same level, or conforming code of an inner one", () => {
    for (let cpl = 0; cpl < 4; cpl++)
      for (let rpl = 0; rpl < 4; rpl++)
        for (let level = 0; level < 4; level++) {
          const plain = d.checkDirectTransfer(0x40 | rpl, CODE | dpl(level), cpl) === d.OK;
          expect(plain).toBe(level === cpl && rpl <= cpl);
          const conforming =
            d.checkDirectTransfer(0x40 | rpl, CODE | d.CONFORMING | dpl(level), cpl) === d.OK;
          expect(conforming).toBe(level <= cpl);
        }
  });

  it("call gates: CALL goes inwards, JMP stays, nobody goes outwards", () => {
    for (let cpl = 0; cpl < 4; cpl++)
      for (let level = 0; level < 4; level++) {
        expect(d.checkGateTarget(0x40, CODE | dpl(level), cpl, false) === d.OK).toBe(level <= cpl);
        expect(d.checkGateTarget(0x40, CODE | dpl(level), cpl, true) === d.OK).toBe(level === cpl);
        expect(d.levelAfterGate(CODE | dpl(level), cpl)).toBe(level);
        expect(d.levelAfterGate(CODE | d.CONFORMING | dpl(level), cpl)).toBe(cpl);
      }
  });

  it("returns go outwards only", () => {
    for (let cpl = 0; cpl < 4; cpl++)
      for (let rpl = 0; rpl < 4; rpl++)
        for (let level = 0; level < 4; level++) {
          const plain = d.checkReturnCode(0x40 | rpl, CODE | dpl(level), cpl) === d.OK;
          expect(plain).toBe(rpl >= cpl && level === rpl);
        }
  });

  it("presence is looked at last, with the fault of its kind", () => {
    expect(d.checkDataSegment(0x40, DATA & ~d.P, 0)).toBe((11 << 16) | 0x40);
    expect(d.checkDataSegment(0x43, DATA & ~d.P, 0)).toBe((13 << 16) | 0x40);
    expect(d.checkDirectTransfer(0x40, CODE & ~d.P, 0)).toBe((11 << 16) | 0x40);
    expect(d.faultErrorCode(d.checkReturnCode(0x47, (CODE & ~d.P) | dpl(3), 0))).toBe(0x44);
  });
});
