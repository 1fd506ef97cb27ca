import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const GUEST = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
const OTHER = [2, 0, 0, 0, 0, 9];
const BROADCAST = Array(6).fill(0xff);
const MULTICAST = [0x33, 0x33, 0, 0, 0, 1];
const frameTo = (to: number[]) => [...to, ...OTHER, 8, 0, ...Array(46).fill(0)];
/** A frame to everybody in VLAN 7, priority 7. */
const TAGGED = [...BROADCAST, ...OTHER, 0x81, 0, 0xe0, 7, 8, 0, ...Array(46).fill(0)];

describe("checksum", () => {
  const ALL = { checksum: true, tcp4: true, tcp6: true, ecn: true };
  const NONE = { checksum: false, tcp4: false, tcp6: false, ecn: false };
  /** Needs a sum from 34 on, at 34 + 16; segments of 1,460 bytes. */
  const header = (flags: number, gso: number, size = 1460) => [
    ...[flags, gso, 54, 0, size & 0xff, size >> 8, 34, 0, 16, 0, 0, 0],
  ];

  it("adds words with their high byte first", async ({ subject }) => {
    const [frame] = await subject.call("completeChecksum", [
      { frame: [9, 9, 0x12, 0x34, 0x00, 0x00, 0x01, 0x02], start: 2, offset: 2 },
    ]);
    expect(frame, "~(0x1234 + 0x0102), and nothing before the start").toEqual([
      ...[9, 9, 0x12, 0x34, 0xec, 0xc9, 0x01, 0x02],
    ]);
  });

  it("adds the carry at the low end again", async ({ subject }) => {
    const [frame] = await subject.call("completeChecksum", [
      { frame: [0xff, 0xff, 0, 0, 0, 2], start: 0, offset: 2 },
    ]);
    expect(frame!.slice(2, 4), "ones' complement: 0xffff + 2 is 2").toEqual([0xff, 0xfd]);
  });

  it("takes an odd byte at the end for a high one", async ({ subject }) => {
    const [frame] = await subject.call("completeChecksum", [{ frame: [0, 0, 0x01], start: 0, offset: 0 }]);
    expect(frame!.slice(0, 2)).toEqual([0xfe, 0xff]);
  });

  it("spells 0 as 0xffff", async ({ subject }) => {
    const [frame] = await subject.call("completeChecksum", [
      { frame: [0xff, 0xff, 0, 0], start: 0, offset: 2 },
    ]);
    expect(frame!.slice(2), "in UDP a sum of 0 would say that there is none").toEqual([0xff, 0xff]);
  });

  it("reads from the header what is left to do", async ({ subject }) => {
    const results = await subject.call("parse", [
      { header: header(0, 0), length: 60, allowed: NONE },
      { header: header(1, 0), length: 60, allowed: ALL },
      { header: header(1, 0x81), length: 3000, allowed: ALL },
    ]);
    const checksum = { start: 34, offset: 16 };
    expect(results).toEqual([
      null,
      { checksum, segmentation: null },
      { checksum, segmentation: { protocol: "tcp4", size: 1460, headerLength: 54, hasEcn: true } },
    ]);
  });

  it("refuses a header that was not agreed on, or makes no sense", async ({ subject }) => {
    const results = await subject.call("parse", [
      { header: header(1, 0), length: 60, allowed: NONE },
      { header: header(1, 0), length: 51, allowed: ALL },
      { header: header(0, 1), length: 60, allowed: ALL },
      { header: header(1, 1, 0), length: 60, allowed: ALL },
      { header: header(1, 3), length: 60, allowed: ALL },
      { header: header(1, 4), length: 60, allowed: { ...ALL, tcp6: false } },
      { header: header(1, 0x81), length: 60, allowed: { ...ALL, ecn: false } },
    ]);
    expect(results).toEqual(Array(7).fill("bad header"));
  });
});

describe("filter", () => {
  /** Class RX: promiscuous, all multicast, all unicast, no multicast, no unicast, no broadcast. */
  const rx = (number: number, isOn: boolean) => [0, number, isOn ? 1 : 0];
  const NARROW = rx(0, false);
  const ALL = [GUEST, OTHER, BROADCAST, MULTICAST].map(frameTo);

  it("takes everything while it is promiscuous", async ({ subject }) => {
    const [first, ...rest] = await subject.call("filter", [], [TAGGED, ...ALL], true);
    expect(first, "VLANs too").toBe(true);
    expect(rest, "not every driver knows that it could be otherwise").toEqual([true, true, true, true]);
    expect(await subject.call("filter", [rx(3, true), rx(4, true), rx(5, true)], ALL)).toEqual([
      ...[true, true, true, true],
    ]);
  });

  it("lets through what is for this card", async ({ subject }) => {
    const [own, other] = await subject.call("filter", [NARROW], ALL);
    expect([own, other]).toEqual([true, false]);
    const table = [1, 0, ...[1, 0, 0, 0], ...OTHER, ...[0, 0, 0, 0]];
    expect(await subject.call("filter", [NARROW, table], [frameTo(OTHER)]), "one of the table").toEqual([
      true,
    ]);
    expect(await subject.call("filter", [NARROW, rx(2, true)], [frameTo(OTHER)]), "all unicast").toEqual([
      true,
    ]);
    expect(await subject.call("filter", [NARROW, rx(4, true)], [frameTo(GUEST)]), "no unicast").toEqual([
      false,
    ]);
  });

  it("lets broadcast through", async ({ subject }) => {
    const frames = [frameTo(BROADCAST)];
    const [plain] = await subject.call("filter", [NARROW], frames);
    expect(plain, "everybody is you too").toBe(true);
    expect(await subject.call("filter", [NARROW, rx(3, true)], frames), "and is no multicast").toEqual([
      true,
    ]);
    expect(await subject.call("filter", [NARROW, rx(5, true)], frames), "until told not to").toEqual([false]);
  });

  it("lets through the multicast that was asked for", async ({ subject }) => {
    const frames = [frameTo(MULTICAST)];
    const table = [1, 0, ...[0, 0, 0, 0], ...[1, 0, 0, 0], ...MULTICAST];
    expect(await subject.call("filter", [NARROW], frames)).toEqual([false]);
    expect(await subject.call("filter", [NARROW, table], frames)).toEqual([true]);
    expect(await subject.call("filter", [NARROW, rx(1, true)], frames)).toEqual([true]);
    expect(await subject.call("filter", [NARROW, rx(1, true), rx(3, true)], frames)).toEqual([false]);
  });

  it("lets through the VLANs that were asked for", async ({ subject }) => {
    expect(await subject.call("filter", [NARROW], [TAGGED], true)).toEqual([false]);
    expect(await subject.call("filter", [NARROW, [2, 0, 7, 0]], [TAGGED], true)).toEqual([true]);
    expect(await subject.call("filter", [NARROW], [TAGGED], false), "not negotiated").toEqual([true]);
  });
});
