import type { Exit, IoExit, MmioExit } from "../../sandbox/kvm/api.ts";
import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import { GUESTS } from "./guests.ts";
import type { subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const HLT: Exit = { reason: "HLT" };

function io(direction: "in" | "out", port: number, size: 1 | 2 | 4, bytes: number[]): IoExit {
  return { reason: "IO", direction, port, size, count: bytes.length / size, data: Uint8Array.from(bytes) };
}

function mmio(isWrite: boolean, address: number, bytes: number[]): MmioExit {
  return { reason: "MMIO", isWrite, address, length: bytes.length, data: Uint8Array.from(bytes) };
}

describe("handle-io", () => {
  it("sends every item of an OUT to the port", async ({ subject, show }) => {
    const exits = [io("out", 0x3f8, 1, [72, 105, 33]), io("out", 0x1f0, 2, [0x34, 0x12, 0x78, 0x56])];
    const { seen } = await subject.call("accesses", exits);
    show({ exits });
    expect(seen, "REP OUTSB brings several items in one exit; all go to the same port, in order").toEqual([
      ["port", "write", 0x3f8, 1, 72],
      ["port", "write", 0x3f8, 1, 105],
      ["port", "write", 0x3f8, 1, 33],
      ["port", "write", 0x1f0, 2, 0x1234],
      ["port", "write", 0x1f0, 2, 0x5678],
    ]);
  });

  it("puts what an IN reads into the exit's data", async ({ subject, show }) => {
    const exits = [
      io("in", 0x60, 1, [0]),
      io("in", 0x1f0, 2, [0, 0, 0, 0]),
      io("in", 0xcf8, 4, [0, 0, 0, 0]),
    ];
    const { data, seen } = await subject.call("accesses", exits, [0xab, 0x1122, 0x3344, 0xffee_ddcc]);
    show({ exits });
    expect(data, "little endian, item after item, where the guest will find it").toEqual([
      [0xab],
      [0x22, 0x11, 0x44, 0x33],
      [0xcc, 0xdd, 0xee, 0xff],
    ]);
    expect(seen).toEqual([
      ["port", "read", 0x60, 1],
      ["port", "read", 0x1f0, 2],
      ["port", "read", 0x1f0, 2],
      ["port", "read", 0xcf8, 4],
    ]);
  });

  it("touches no byte past the last item", async ({ subject }) => {
    const long: IoExit = { ...io("in", 0x60, 1, [0]), data: Uint8Array.of(0, 0xee, 0xee, 0xee) };
    const { data, seen } = await subject.call("accesses", [long], [0x5a]);
    expect(seen, "the data buffer may be longer than this exit").toHaveLength(1);
    expect(data[0]).toEqual([0x5a, 0xee, 0xee, 0xee]);
  });
});

describe("handle-mmio", () => {
  it("reads and writes at the exit's address", async ({ subject }) => {
    const { seen, data } = await subject.call(
      "accesses",
      [mmio(true, 0xd_0000, [1, 0, 0, 0x80]), mmio(false, 0xd_0004, [0, 0])],
      [0xbeef],
    );
    expect(seen).toEqual([
      ["mmio", "write", 0xd_0000, 4, 0x8000_0001],
      ["mmio", "read", 0xd_0004, 2],
    ]);
    expect(data[1]).toEqual([0xef, 0xbe]);
  });

  it("cuts 3 and 8 bytes into accesses that devices know", async ({ subject }) => {
    const { seen, data } = await subject.call(
      "accesses",
      [mmio(true, 0x1000, [1, 2, 3, 4, 5, 6, 7, 8]), mmio(false, 0x2000, [0, 0, 0])],
      [0x2211, 0x33],
    );
    expect(seen, "devices take 1, 2 or 4 bytes: 8 = 4 + 4, 3 = 2 + 1, from the lowest address up").toEqual([
      ["mmio", "write", 0x1000, 4, 0x0403_0201],
      ["mmio", "write", 0x1004, 4, 0x0807_0605],
      ["mmio", "read", 0x2000, 2],
      ["mmio", "read", 0x2002, 1],
    ]);
    expect(data[1]).toEqual([0x11, 0x22, 0x33]);
  });

  it("touches no byte past the access", async ({ subject }) => {
    const read: MmioExit = {
      ...mmio(false, 0x1000, [0, 0]),
      data: Uint8Array.of(0, 0, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee),
    };
    const { data } = await subject.call("accesses", [read], [0x1234]);
    expect(data[0], "`data` has room for 8 bytes, this access has 2").toEqual([
      0x34, 0x12, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
    ]);
  });
});

describe("handle-exit", () => {
  it("goes on after IO and MMIO", async ({ subject }) => {
    const { results, seen } = await subject.call("exits", [io("out", 1, 1, [7]), mmio(true, 0, [8])]);
    expect(results, "the device has answered, the guest can continue").toEqual([
      { value: true },
      { value: true },
    ]);
    expect(seen, "each exit went to its own bus").toEqual([
      ["port", "write", 1, 1, 7],
      ["mmio", "write", 0, 1, 8],
    ]);
  });

  it("ends on everything that it has no answer to", async ({ subject }) => {
    const endings: Exit[] = [
      HLT,
      { reason: "SHUTDOWN" },
      { reason: "INTR", cause: "budget" },
      { reason: "FAIL_ENTRY", hardwareReason: 0n },
      { reason: "INTERNAL_ERROR", suberror: 1, pc: 0n, instruction: new Uint8Array(), message: "" },
      { reason: "UNKNOWN", code: 99, hardwareReason: 0n },
    ];
    const { results } = await subject.call("exits", endings);
    for (const [at, { reason }] of endings.entries()) {
      expect(results[at], `${reason}: entering the guest again would not help it`).toEqual({ value: false });
    }
  });
});

describe("run-loop", () => {
  it("enters the guest until an exit ends it, and returns that exit", async ({ subject }) => {
    const script: Exit[] = [io("out", 1, 1, [7]), io("in", 2, 1, [0]), HLT];
    const { last, entries, seen } = await subject.call("loop", script);
    expect(entries, "two exits to handle, one to end").toBe(3);
    expect(seen).toEqual([
      ["port", "write", 1, 1, 7],
      ["port", "read", 2, 1],
    ]);
    expect(last).toEqual(HLT);
  });

  it("tells of every exit after it was handled", async ({ subject }) => {
    const { told } = await subject.call("loop", [io("in", 2, 1, [0]), HLT]);
    expect(told, "the exit log shows what the guest got, so IN must be answered before `onExit`").toEqual([
      io("in", 2, 1, [0x5a]),
      HLT,
    ]);
  });

  it("stops after maxExits", async ({ subject }) => {
    const script = Array.from({ length: 10 }, () => io("out", 1, 1, [0]));
    const { entries, seen, last } = await subject.call("loop", script, { maxExits: 3 });
    expect(entries, "maxExits 3: the guest is entered three times").toBe(3);
    expect(seen, "and all three are handled").toHaveLength(3);
    expect(last.reason).toBe("IO");
  });

  it("passes the budget to every entry", async ({ subject }) => {
    const budget = { instructions: 1000, milliseconds: 50 };
    const { budgets } = await subject.call("loop", [io("out", 1, 1, [0]), HLT], { budget });
    expect(budgets, "without it a guest that spins would never come back").toEqual([budget, budget]);
  });

  for (const guest of GUESTS) {
    it(`runs the guest “${guest.name}”`, async ({ subject, show }) => {
      const run = await subject.call("guest", guest.image);
      const code = { bytes: guest.image, address: 0x1000, rip: Number(run.after.rip), bits: 16 } as const;
      show({ before: run.before, after: run.after, exits: run.exits, code });
      expect(run.output, "what it prints").toBe(guest.output);
      expect(run.exits.at(-1)?.reason, "how it ends").toBe(guest.ends);
    });
  }
});
