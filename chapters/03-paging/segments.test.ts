import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import { GUESTS } from "./guests.ts";
import type { Check, subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const LEVELS = [0, 1, 2, 3];
const SELECTOR = 0x28;

// Access rights in the order of the descriptor: P, DPL, S, TYPE.
const PRESENT = 0x80;
const dpl = (level: number) => level << 5;
const READ_ONLY = 0x10;
const WRITABLE = 0x12;
const EXECUTE_ONLY = 0x18;
const READABLE_CODE = 0x1a;
const CONFORMING = 0x1e;
const CALL_GATE = 0x0c;
const TSS = 0x09;
const EXPAND_DOWN = 0x16;
const BIG = 1 << 14;

const NOT_ALLOWED = "#13(0x28)";

const check = (kind: Check["kind"], rights: number, cpl: number, rpl = 0, jump = false): Check => ({
  kind,
  selector: SELECTOR | rpl,
  rights,
  cpl,
  jump,
});

/** Every combination of DPL, CPL and RPL, with the sentence that names it. */
function everyLevel(kind: Check["kind"], type: number, jump = false) {
  return LEVELS.flatMap(level =>
    LEVELS.flatMap(cpl =>
      LEVELS.map(rpl => ({
        level,
        cpl,
        rpl,
        name: `DPL ${level}, CPL ${cpl}, RPL ${rpl}`,
        check: check(kind, PRESENT | dpl(level) | type, cpl, rpl, jump),
      })),
    ),
  );
}

describe("descriptor-fields", () => {
  it("reads the flat segments of a 32-bit kernel", async ({ subject, show }) => {
    const descriptors: [number, number][] = [
      [0x0000_ffff, 0x00cf_9a00],
      [0x0000_ffff, 0x00cf_9200],
    ];
    const results = await subject.call("descriptors", descriptors);
    show({ note: "the descriptors 00cf_9a00_0000_ffff and 00cf_9200_0000_ffff" });
    expect(results[0], "base 0, limit 4 GiB less one, G and D and present code").toEqual({
      base: 0,
      limit: 0xffff_ffff,
      rights: 0xc09a,
    });
    expect(results[1], "the same as data").toEqual({ base: 0, limit: 0xffff_ffff, rights: 0xc092 });
  });

  it("collects the base from three places", async ({ subject }) => {
    const [result] = await subject.call("descriptors", [[0x5678_0000, 0x1240_9234]]);
    expect(result!.base, "high 31:24, high 7:0, low 31:16 of 1240_9234 5678_0000").toBe(0x1234_5678);
  });

  it("is never negative", async ({ subject }) => {
    const [result] = await subject.call("descriptors", [[0x0000_ffff, 0xffcf_92ff]]);
    expect(result!.base, "a base is an address, unsigned: finish with >>> 0").toBe(0xffff_0000);
    expect(result!.limit, "so is a limit").toBe(0xffff_ffff);
  });

  it("counts pages where G is set", async ({ subject }) => {
    const results = await subject.call("descriptors", [
      [0x0000_fffe, 0x004a_9200],
      [0x0000_fffe, 0x00ca_9200],
      [0x0000_0000, 0x00c0_9200],
    ]);
    expect(results[0]!.limit, "without G the field counts bytes").toBe(0xa_fffe);
    expect(results[1]!.limit, "with G it counts pages, and the last page belongs to it whole").toBe(
      0xafff_efff,
    );
    expect(results[2]!.limit, "a limit of 0 pages is one page: 0xfff").toBe(0xfff);
  });

  it("keeps the limit's bits out of the rights", async ({ subject }) => {
    const results = await subject.call("descriptors", [
      [0, 0x00ff_ffff],
      [0, 0x000f_0000],
    ]);
    expect(results[0]!.rights, "bits 11:8 of the rights are 0").toBe(0xf0ff);
    expect(results[1]!.rights, "a limit is no right").toBe(0);
  });
});

describe("segment-limit", () => {
  const DATA = PRESENT | WRITABLE;
  const DOWN = PRESENT | EXPAND_DOWN;

  it("allows the byte at the limit, and none above", async ({ subject }) => {
    const results = await subject.call("inSegment", [
      [0xfff, 1, 0xfff, DATA],
      [0x1000, 1, 0xfff, DATA],
      [0, 1, 0, DATA],
    ]);
    expect(results, "a limit is the last offset that is inside").toEqual([true, false, true]);
  });

  it("looks at the last byte of the access", async ({ subject }) => {
    const results = await subject.call("inSegment", [
      [0xffc, 4, 0xfff, DATA],
      [0xffd, 4, 0xfff, DATA],
      [0xffff_fffd, 4, 0xffff_ffff, DATA],
    ]);
    expect(results, "four bytes at 0xffd end at 0x1000").toEqual([true, false, false]);
  });

  it("turns an expand-down segment round", async ({ subject }) => {
    const results = await subject.call("inSegment", [
      [0xfff, 1, 0xfff, DOWN],
      [0x1000, 1, 0xfff, DOWN],
      [0xffe, 4, 0xfff, DOWN],
      [0xffff, 1, 0xfff, DOWN],
    ]);
    expect(results, "what its limit leaves out is inside: the first byte must lie above it").toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it("ends an expand-down segment at 64 KiB, or with B at 4 GiB", async ({ subject }) => {
    const results = await subject.call("inSegment", [
      [0xffff, 2, 0xfff, DOWN],
      [0xffff, 2, 0xfff, DOWN | BIG],
      [0xffff_ffff, 2, 0xfff, DOWN | BIG],
    ]);
    expect(results).toEqual([false, true, false]);
  });

  it("knows that only data expands down", async ({ subject }) => {
    const results = await subject.call("inSegment", [[0, 4, 0xfff, PRESENT | CONFORMING]]);
    expect(results, "the same bit of a code segment means conforming").toEqual([true]);
  });
});

describe("load-segments", () => {
  it("loads data and readable code into a data register", async ({ subject }) => {
    const types = [READ_ONLY, WRITABLE, READABLE_CODE, EXECUTE_ONLY, TSS];
    const results = await subject.call(
      "checks",
      types.map(type => check("data", PRESENT | type, 0)),
    );
    expect(results, "read-only, writable, readable code; not: execute-only code, a TSS").toEqual([
      "ok",
      "ok",
      "ok",
      NOT_ALLOWED,
      NOT_ALLOWED,
    ]);
  });

  it("asks both the program and the selector for their level", async ({ subject }) => {
    const cases = everyLevel("data", WRITABLE);
    const results = await subject.call(
      "checks",
      cases.map(one => one.check),
    );
    for (const [at, { level, cpl, rpl, name }] of cases.entries()) {
      const expected = Math.max(cpl, rpl) <= level ? "ok" : NOT_ALLOWED;
      expect(results[at], `${name}: the less privileged of CPL and RPL counts`).toBe(expected);
    }
  });

  it("lets every level read conforming code", async ({ subject }) => {
    const cases = everyLevel("data", CONFORMING);
    const results = await subject.call(
      "checks",
      cases.map(one => one.check),
    );
    expect(new Set(results)).toEqual(new Set(["ok"]));
  });

  it("takes as a stack only writable data of exactly its own level", async ({ subject }) => {
    const cases = everyLevel("stack", WRITABLE);
    const results = await subject.call(
      "checks",
      cases.map(one => one.check),
    );
    for (const [at, { level, cpl, rpl, name }] of cases.entries()) {
      expect(results[at], `${name}: a stack has all three equal`).toBe(
        level === cpl && rpl === cpl ? "ok" : NOT_ALLOWED,
      );
    }
    const types = [READ_ONLY, READABLE_CODE, CONFORMING];
    const others = await subject.call(
      "checks",
      types.map(type => check("stack", PRESENT | type, 0)),
    );
    expect(others, "nothing else can be pushed to").toEqual([NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED]);
  });

  it("asks last whether the segment is there", async ({ subject }) => {
    const results = await subject.call("checks", [
      check("data", WRITABLE, 0),
      check("stack", WRITABLE, 0),
      check("data", WRITABLE, 3),
    ]);
    expect(results, "#NP for data, #SS for a stack; but a forbidden one is #GP, there or not").toEqual([
      "#11(0x28)",
      "#12(0x28)",
      NOT_ALLOWED,
    ]);
  });
});

describe("transfers", () => {
  it("jumps only within its own level", async ({ subject }) => {
    const cases = everyLevel("direct", READABLE_CODE);
    const results = await subject.call(
      "checks",
      cases.map(one => one.check),
    );
    for (const [at, { level, cpl, rpl, name }] of cases.entries()) {
      const expected = level === cpl && rpl <= cpl ? "ok" : NOT_ALLOWED;
      expect(results[at], `${name}: a direct jump never changes the level`).toBe(expected);
    }
  });

  it("lends conforming code to the levels outside of it", async ({ subject }) => {
    const cases = everyLevel("direct", CONFORMING);
    const results = await subject.call(
      "checks",
      cases.map(one => one.check),
    );
    for (const [at, { level, cpl, name }] of cases.entries()) {
      expect(results[at], `${name}: conforming code runs at its caller's level`).toBe(
        level <= cpl ? "ok" : NOT_ALLOWED,
      );
    }
  });

  it("jumps to nothing but code", async ({ subject }) => {
    const results = await subject.call("checks", [
      check("direct", PRESENT | WRITABLE, 0),
      check("gate target", PRESENT | WRITABLE, 0),
      check("direct", READABLE_CODE, 0),
      check("gate target", READABLE_CODE, 0),
    ]);
    expect(results, "data is no code; and code that is not there is #NP").toEqual([
      NOT_ALLOWED,
      NOT_ALLOWED,
      "#11(0x28)",
      "#11(0x28)",
    ]);
  });

  it("opens a gate to whom its DPL lets in", async ({ subject }) => {
    const cases = everyLevel("gate", CALL_GATE);
    const results = await subject.call(
      "checks",
      cases.map(one => one.check),
    );
    for (const [at, { level, cpl, rpl, name }] of cases.entries()) {
      const expected = cpl <= level && rpl <= level ? "ok" : NOT_ALLOWED;
      expect(results[at], `${name}: the gate's DPL bounds CPL and RPL`).toBe(expected);
    }
    const [absent] = await subject.call("checks", [check("gate", CALL_GATE, 0)]);
    expect(absent, "a gate that is not there").toBe("#11(0x28)");
  });

  it("leads inwards by CALL, and stays where it is by JMP", async ({ subject }) => {
    for (const jump of [false, true]) {
      const cases = everyLevel("gate target", READABLE_CODE, jump);
      const results = await subject.call(
        "checks",
        cases.map(one => one.check),
      );
      for (const [at, { level, cpl, name }] of cases.entries()) {
        const allowed = jump ? level === cpl : level <= cpl;
        expect(results[at], `${jump ? "JMP" : "CALL"} through a gate, ${name}`).toBe(
          allowed ? "ok" : NOT_ALLOWED,
        );
      }
    }
  });

  it("lets a segment of the guest begin at 1 MiB, where none of real mode can", async ({ subject, show }) => {
    const { image, output } = GUESTS.find(({ name }) => name === "protected")!;
    const run = await subject.call("guest", image);
    show({ exits: run.exits.slice(-4) });
    expect(run.output).toBe(output);
  });
});
