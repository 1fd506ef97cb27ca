/** Cases of chapter 2 that the book does not print. */
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject, StringCase } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "hidden");

// As in registers.ts.
const [ESI, EDI] = [12, 14] as const;
const [SF, OF] = [1 << 7, 1 << 11];

describe("conditions", () => {
  it("compares signed numbers by SF and OF together", async ({ subject }) => {
    const [overflowed, negative, both] = await subject.call("conditions", [OF, SF, SF | OF]);
    const [L, GE] = [0xc, 0xd];
    expect([overflowed![L], negative![L], both![L]], "less: the sign is wrong by overflow, or right").toEqual(
      [...[true, true, false]],
    );
    expect([overflowed![GE], negative![GE], both![GE]]).toEqual([false, false, true]);
  });
});

describe("limits", () => {
  it("has no room for an operand that runs over the limit by one byte", async ({ subject }) => {
    const allowed = await subject.call("allows", { limit: 0xfffe, rights: 3 }, [
      [0xfffb, 4, false],
      [0xfffc, 4, false],
      [0xfffd, 2, true],
      [0xfffe, 2, true],
      [0xfffe, 1, true],
      [0xffff, 1, false],
    ]);
    expect(allowed).toEqual([true, false, true, false, true, false]);
  });
});

describe("strings", () => {
  it("wraps a pointer of 16 bits, and leaves the upper half alone", async ({ subject }) => {
    const wrapped: StringCase = {
      ...{ instruction: "movs", size: 2, addressMask: 0xffff, memory: { 65534: 0x34, 65535: 0x12 } },
      registers: { [ESI]: 0xabcd_fffe, [EDI]: 0x1234_0100 },
    };
    const [result] = await subject.call("strings", [wrapped]);
    expect(result!.registers).toEqual({ [ESI]: 0xabcd_0000, [EDI]: 0x1234_0102 });
  });
});

describe("repeat", () => {
  it("counts in ECX with addresses of 32 bits, in CX with those of 16", async ({ subject }) => {
    const [short, long] = await subject.call("repetitions", [
      [0x0003_0005, 0xffff, 5],
      [0x0003_0005, -1, 5],
    ]);
    expect(short).toEqual({ left: 5, ecx: 0x0003_0000 });
    expect(long).toEqual({ left: 0x0003_0005, ecx: 0x0003_0000 });
  });
});
