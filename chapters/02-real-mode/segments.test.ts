import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

// As in segments.ts.
const MAY_READ = 1;
const MAY_WRITE = 2;
const EXPAND_DOWN = 4;
const BIG = 8;
const BOTH = MAY_READ | MAY_WRITE;
const REAL_MODE = { limit: 0xffff, rights: BOTH };

describe("real-mode", () => {
  it("begins every sixteen bytes", async ({ subject }) => {
    const loaded = await subject.call("loadSegments", [0, 1, 0x07c0, 0xb800, 0xffff], REAL_MODE);
    expect(
      loaded.map(({ base }) => base),
      "base = selector times 16: a segment can begin at every sixteenth byte",
    ).toEqual([0, 0x10, 0x7c00, 0xb_8000, 0xf_fff0]);
    expect(loaded.map(({ selector }) => selector)).toEqual([0, 1, 0x07c0, 0xb800, 0xffff]);
  });

  it("takes sixteen bits of what it is given", async ({ subject }) => {
    const [loaded] = await subject.call("loadSegments", [0x1234_07c0], REAL_MODE);
    expect(loaded, "a segment register has 16 bits").toMatchObject({ selector: 0x07c0, base: 0x7c00 });
  });

  it("leaves limit and rights alone", async ({ subject }) => {
    const [loaded] = await subject.call("loadSegments", [0x07c0], { limit: 0xffff_ffff, rights: MAY_READ });
    expect(
      loaded,
      "real mode sets the base only; programs found out and called it unreal mode",
    ).toMatchObject({
      limit: 0xffff_ffff,
      rights: MAY_READ,
    });
  });
});

describe("limits", () => {
  it("allows what the rights allow", async ({ subject }) => {
    for (const [rights, read, write] of [
      [BOTH, true, true],
      [MAY_READ, true, false],
      [MAY_WRITE, false, true],
      [0, false, false],
    ] as const) {
      const allowed = await subject.call("allows", { limit: 0xffff, rights }, [
        [0, 1, false],
        [0, 1, true],
      ]);
      expect(allowed, `rights ${rights.toString(2).padStart(2, "0")}, for a read and for a write`).toEqual([
        read,
        write,
      ]);
    }
  });

  it("refuses an access whose last byte lies above the limit", async ({ subject }) => {
    const allowed = await subject.call("allows", REAL_MODE, [
      [0xffff, 1, false],
      [0xfffe, 2, false],
      [0xffff, 2, false],
      [0xfffd, 4, true],
      [0x1_0000, 1, false],
    ]);
    expect(allowed, "the limit is the last valid offset, and every byte must lie inside").toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it("takes offset and limit as unsigned numbers", async ({ subject }) => {
    const allowed = await subject.call("allows", { limit: 0x8000_0fff, rights: BOTH }, [
      [0x8000_0000, 4, false],
      [0xffff_ffff, 1, false],
    ]);
    expect(allowed, "0x8000_0000 is no negative number, and 0xffff_ffff is far away").toEqual([true, false]);
  });

  it("allows everything up to 4 GiB, even over the end", async ({ subject }) => {
    const allowed = await subject.call("allows", { limit: 0xffff_ffff, rights: BOTH }, [
      [0xffff_fffc, 4, false],
      [0xffff_ffff, 4, false],
    ]);
    expect(allowed, "with a limit of 0xffff_ffff there is nothing above the limit").toEqual([true, true]);
  });

  it("turns round for a segment that expands down", async ({ subject }) => {
    const accesses = [
      [0x0fff, 2, true],
      [0x1000, 2, true],
      [0xffff, 1, true],
      [0xffff, 2, true],
    ] as const;
    const down = { limit: 0x0fff, rights: BOTH | EXPAND_DOWN };
    expect(
      await subject.call("allows", down, accesses),
      "valid are the offsets above the limit, up to 0xffff",
    ).toEqual([false, true, true, false]);
    expect(
      await subject.call("allows", { ...down, rights: down.rights | BIG }, accesses),
      "a big one reaches up to 0xffff_ffff",
    ).toEqual([false, true, true, true]);
  });
});
