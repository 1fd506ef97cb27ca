import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import { evidenceOf } from "./evidence.ts";
import { expectedRun } from "./guests.ts";
import * as setting from "./setting.ts";
import type { subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const { CODE0, CODE1, CODE3, DATA0, DATA1, DATA3, IF, INNER_STACK, INTERRUPT_GATE, RESERVED, RF, TF } =
  setting;
const HANDLER = 0x1234_5678;
const VECTOR = 0x42;

const values = ({ writes }: setting.Outcome) => writes.map(({ value }) => value);
const gate = (more: Partial<setting.Gate> = {}): setting.Gate => ({
  vector: VECTOR,
  type: INTERRUPT_GATE,
  dpl: 3,
  offset: HANDLER,
  ...more,
});

describe("push", () => {
  it("puts the value below the old top of the stack", async ({ subject }) => {
    const run = await subject.call("push", {
      base: 0x1_0000,
      bits: 32,
      limit: 0xffff,
      esp: 0x8000,
      pushes: [
        [4, 0x1122_3344],
        [2, 0x5566],
      ],
    });
    expect(run.writes, "a stack grows down: ESP moves first, and names what was pushed last").toEqual([
      { at: 0x1_7ffc, size: 4, value: 0x1122_3344 },
      { at: 0x1_7ffa, size: 2, value: 0x5566 },
    ]);
    expect(run.esp).toBe(0x7ffa);
  });

  it("moves only SP on a 16-bit stack", async ({ subject }) => {
    const run = await subject.call("push", {
      base: 0x1_0000,
      bits: 16,
      limit: 0xffff,
      esp: 0xabcd_0000,
      pushes: [[2, 0x1122]],
    });
    expect(run.fault, "SP wraps from 0 to 0xfffe inside its 64 KiB").toBe("");
    expect(run.esp, "without B only SP moves: the upper half of ESP stays").toBe(0xabcd_fffe);
  });

  it("leaves ESP alone when the write faults", async ({ subject }) => {
    const run = await subject.call("push", {
      base: 0,
      bits: 32,
      limit: 0xffff_ffff,
      esp: 0x8004,
      pushes: [
        [4, 1],
        [4, 2],
      ],
      absentBelow: 0x8000,
    });
    expect(run.fault).toBe("#PF(0x0002)");
    expect(run.esp, "the second push faulted: ESP is as it was before the push").toBe(0x8000);
  });
});

describe("vector-table", () => {
  const setup: setting.Setup = {
    realMode: true,
    stack16: 0x7000,
    esp: 0x100,
    eflags: RESERVED | IF | TF,
    memory: [[4 * 0x21, 0xf000_1234]],
    selectors: { cs: 0x0300, ss: 0x0700 },
  };

  it("goes where the far pointer leads", async ({ subject, show }) => {
    const run = await subject.call("deliver", setup, { vector: 0x21, source: "software" });
    show(evidenceOf(run));
    expect([run.after.cs, run.after.eip], "four bytes a vector: offset first, then the segment").toEqual([
      0xf000, 0x1234,
    ]);
  });

  it("pushes FLAGS, CS and IP as words", async ({ subject, show }) => {
    const run = await subject.call("deliver", setup, { vector: 0x21, source: "external" });
    show(evidenceOf(run));
    expect(run.writes, "three words, FLAGS with IF and TF as they were").toEqual([
      { at: 0x70fe, size: 2, value: RESERVED | IF | TF },
      { at: 0x70fc, size: 2, value: 0x0300 },
      { at: 0x70fa, size: 2, value: 0x5000 },
    ]);
    expect(run.after.esp).toBe(0xfa);
  });

  it("clears IF and TF for the handler", async ({ subject, show }) => {
    const run = await subject.call("deliver", setup, { vector: 0x21, source: "external" });
    show(evidenceOf(run));
    expect(run.after.eflags, "or the handler would be interrupted, or traced, at once").toBe(RESERVED);
  });

  it("is #GP past the end of the table", async ({ subject, show }) => {
    const run = await subject.call(
      "deliver",
      { ...setup, idtLimit: 4 * 0x21 + 2 },
      { vector: 0x21, source: "external" },
    );
    show(evidenceOf(run));
    expect(run.fault, "the last byte of the vector lies outside; from outside means EXT").toBe("#GP(0x010b)");
    expect(run.after).toEqual(run.before);
  });
});

describe("gate", () => {
  it("refuses a vector past the end of the table", async ({ subject, show }) => {
    const setup = { gates: [gate()], idtLimit: 8 * VECTOR + 6 };
    const run = await subject.call("deliver", setup, { vector: VECTOR, source: "external" });
    show(evidenceOf(run));
    expect(run.fault, "#GP names the gate: index, IDT and EXT").toBe("#GP(0x0213)");
  });

  it("refuses what is no interrupt, trap or task gate", async ({ subject, show }) => {
    const setup = { gates: [gate({ type: setting.CALL_GATE })] };
    const run = await subject.call("deliver", setup, { vector: VECTOR, source: "software" });
    show(evidenceOf(run));
    expect(run.fault, "a call gate in the IDT").toBe("#GP(0x0212)");
  });

  it("refuses a program that is not privileged enough", async ({ subject, show }) => {
    const setup = { ring3: true, gates: [gate({ dpl: 0 })] };
    const run = await subject.call("deliver", setup, { vector: VECTOR, source: "software" });
    show(evidenceOf(run));
    expect(run.fault, "CPL 3, DPL 0: else any program could call the handler of the disk").toBe(
      "#GP(0x0212)",
    );
    expect(run.after).toEqual(run.before);
  });

  it("asks only a program for permission", async ({ subject, show }) => {
    // The gate is absent, and so its last check tells that the one before let them pass.
    const setup = { ring3: true, gates: [gate({ dpl: 0, absent: true })] };
    for (const source of ["external", "exception"] as const) {
      const run = await subject.call("deliver", setup, { vector: VECTOR, source });
      show(evidenceOf(run));
      expect(run.fault, `${source}: a device or a fault needs no permission`).toBe("#NP(0x0213)");
    }
  });

  it("refuses a gate that is not present, after all else", async ({ subject, show }) => {
    const absent = { gates: [gate({ absent: true })] };
    const run = await subject.call("deliver", absent, { vector: VECTOR, source: "external" });
    show(evidenceOf(run));
    expect(run.fault).toBe("#NP(0x0213)");
    const both = { ring3: true, gates: [gate({ absent: true, dpl: 0 })] };
    const second = await subject.call("deliver", both, { vector: VECTOR, source: "software" });
    expect(second.fault, "who may not use it is not told that it is absent").toBe("#GP(0x0212)");
  });
});

describe("enter", () => {
  it("enters a handler in the same ring", async ({ subject, show }) => {
    const run = await subject.call("deliver", { gates: [gate()] }, { vector: VECTOR, source: "software" });
    show(evidenceOf(run));
    expect([run.fault, run.after.cs, run.after.eip]).toEqual(["", CODE0, HANDLER]);
  });

  it("pushes EFLAGS, CS, EIP and an error code in the same ring", async ({ subject, show }) => {
    const run = await subject.call(
      "deliver",
      { gates: [gate({ vector: 13 })] },
      { vector: 13, source: "exception", errorCode: 0x18 },
    );
    show(evidenceOf(run));
    expect(values(run), "SS and ESP are pushed on the way to an inner ring, not in the same ring").toEqual([
      RESERVED | IF | RF,
      CODE0,
      0x5000,
      0x18,
    ]);
    expect(run.after.esp).toBe(0x8000 - 16);
  });

  it("clears IF through an interrupt gate, and TF always", async ({ subject, show }) => {
    const setup = { gates: [gate()], eflags: RESERVED | IF | TF };
    const run = await subject.call("deliver", setup, { vector: VECTOR, source: "software" });
    show(evidenceOf(run));
    expect(run.after.eflags).toBe(RESERVED);
  });

  it("leaves IF alone through a trap gate", async ({ subject, show }) => {
    const setup = { gates: [gate({ type: setting.TRAP_GATE })], eflags: RESERVED | IF | TF };
    const run = await subject.call("deliver", setup, { vector: VECTOR, source: "software" });
    show(evidenceOf(run));
    expect(run.after.eflags, "only an interrupt gate clears IF").toBe(RESERVED | IF);
  });

  const refused: readonly (readonly [what: string, selector: number, fault: string])[] = [
    ["no selector", 0, "#GP(0x0000)"],
    ["a selector past the table", 0x1f8, "#GP(0x01f8)"],
    ["a data segment", DATA0, "#GP(0x0010)"],
    ["an outer ring's code", CODE3, "#GP(0x0018)"],
    ["code that is not present", setting.ABSENT_CODE, "#NP(0x0028)"],
  ];
  it("refuses a handler that is no code of this or an inner ring, and changes nothing", async ({
    subject,
    show,
  }) => {
    for (const [what, selector, fault] of refused) {
      const run = await subject.call(
        "deliver",
        { gates: [gate({ selector })] },
        { vector: VECTOR, source: "software" },
      );
      show(evidenceOf(run));
      expect(run.fault, `the gate names ${what}`).toBe(fault);
      expect(run.after).toEqual(run.before);
    }
  });

  it("changes nothing when the frame cannot be written", async ({ subject, show }) => {
    const setup = { gates: [gate()], absentBelow: 0x8000 - 8 };
    const run = await subject.call("deliver", setup, { vector: VECTOR, source: "external" });
    show(evidenceOf(run));
    expect(run.fault).toBe("#PF(0x0002)");
    expect(run.after, "the page fault finds the program as it was").toEqual(run.before);
  });
});

describe("inner-stack", () => {
  const setup: setting.Setup = { ring3: true, gates: [gate()], esp: 0x4000 };

  it("takes SS and ESP from the TSS and pushes the old ones", async ({ subject, show }) => {
    const run = await subject.call("deliver", setup, { vector: VECTOR, source: "software" });
    show(evidenceOf(run));
    expect(
      run.writes.map(({ at }) => at),
      "the frame lies below ESP0, never on a stack that the program chose",
    ).toEqual([1, 2, 3, 4, 5].map(word => INNER_STACK - 4 * word));
    expect(values(run), "SS, ESP, EFLAGS, CS, EIP of the program").toEqual([
      DATA3,
      0x4000,
      RESERVED | IF,
      CODE3,
      0x5000,
    ]);
    expect([run.after.ss, run.after.esp, run.after.cpl]).toEqual([DATA0, INNER_STACK - 20, 0]);
  });

  it("takes ring 1's stack for a handler in ring 1", async ({ subject, show }) => {
    const run = await subject.call(
      "deliver",
      { ...setup, gates: [gate({ selector: CODE1 })] },
      { vector: VECTOR, source: "software" },
    );
    show(evidenceOf(run));
    expect([run.after.ss, run.after.esp, run.after.cpl], "SS1:ESP1 follows SS0:ESP0").toEqual([
      DATA1,
      setting.RING1_STACK - 20,
      1,
    ]);
  });

  const refused: readonly (readonly [what: string, ss0: number, fault: string])[] = [
    ["no selector", 0, "#TS(0x0000)"],
    ["a selector past the table", 0x1f8, "#TS(0x01f8)"],
    ["the stack of another ring", DATA3, "#TS(0x0020)"],
    ["code", CODE0, "#TS(0x0008)"],
  ];
  it("raises #TS for a stack in the TSS that is none", async ({ subject, show }) => {
    for (const [what, ss0, fault] of refused) {
      const run = await subject.call(
        "deliver",
        { ...setup, memory: [[setting.TSS_BASE + 8, ss0]] },
        { vector: VECTOR, source: "software" },
      );
      show(evidenceOf(run));
      expect(run.fault, `SS0 in the TSS is ${what}`).toBe(fault);
      expect(run.after).toEqual(run.before);
    }
  });

  it("raises #TS where the TSS is too short", async ({ subject, show }) => {
    const run = await subject.call(
      "deliver",
      { ...setup, tssLimit: 8 },
      { vector: VECTOR, source: "external" },
    );
    show(evidenceOf(run));
    expect(run.fault, "SS0 lies at 8 and 9").toBe("#TS(0x0041)");
  });
});

describe("return", () => {
  const frame = (...words: readonly number[]): setting.Setup["memory"] =>
    words.map((word, index) => [0x8000 + 4 * index, word] as const);

  it("goes back to EIP and CS with the flags of the frame", async ({ subject, show }) => {
    const flags = RESERVED | IF | 0x0801;
    const run = await subject.call(
      "returnFrom",
      { eip: 0x7777, eflags: RESERVED, memory: frame(0x5000, CODE0, flags) },
      4,
    );
    show(evidenceOf(run));
    const { eip, cs, eflags, esp } = run.after;
    expect([eip, cs, eflags, esp]).toEqual([0x5000, CODE0, flags, 0x8000 + 12]);
  });

  it("pops three words in real mode, and any flag", async ({ subject, show }) => {
    const run = await subject.call(
      "returnFrom",
      {
        realMode: true,
        stack16: 0x7000,
        esp: 0x1000,
        eflags: RESERVED,
        memory: [
          [0x8000, 0xf000_1234],
          [0x8004, RESERVED | IF | setting.IOPL3],
        ],
      },
      2,
    );
    show(evidenceOf(run));
    const { cs, eip, esp, eflags } = run.after;
    expect([cs, eip, esp]).toEqual([0xf000, 0x1234, 0x1006]);
    expect(eflags).toBe(RESERVED | IF | setting.IOPL3);
  });

  it("lets ring 3 change neither IF nor IOPL", async ({ subject, show }) => {
    const run = await subject.call(
      "returnFrom",
      {
        ring3: true,
        eflags: RESERVED | IF,
        memory: frame(0x5000, CODE3, RESERVED | setting.IOPL3 | 0x0001),
      },
      4,
    );
    show(evidenceOf(run));
    expect(run.after.eflags, "CF may change; a program must not turn interrupts off, nor raise IOPL").toBe(
      RESERVED | IF | 0x0001,
    );
  });

  it("refuses an inner ring, data, and nothing", async ({ subject, show }) => {
    for (const [what, selector, fault] of [
      ["ring 0", CODE0, "#GP(0x0008)"],
      ["a data segment", DATA3, "#GP(0x0020)"],
      ["no selector", 0, "#GP(0x0000)"],
      ["a selector past the table", 0x1fb, "#GP(0x01f8)"],
    ] as const) {
      const run = await subject.call(
        "returnFrom",
        { ring3: true, memory: frame(0x5000, selector, RESERVED) },
        4,
      );
      show(evidenceOf(run));
      expect(run.fault, `ring 3 returns to ${what}`).toBe(fault);
      expect(run.after).toEqual(run.before);
    }
  });

  it("brings a guest back from a breakpoint and two faults", async ({ subject, show }) => {
    const { image, output } = expectedRun("gates");
    const run = await subject.call("guest", image, true);
    show({ note: run.output });
    expect(run.output).toBe(output);
  });

  it("takes the guest through a breakpoint, a fault and a service call", async ({ subject, show }) => {
    const { image, output } = expectedRun("vectors");
    const run = await subject.call("guest", image, true);
    show({ note: run.output });
    expect(run.output).toBe(output);
  });
});

describe("return-outer", () => {
  const toRing3 = (ss = DATA3): setting.Setup => ({
    eflags: RESERVED,
    memory: [0x5000, CODE3, RESERVED | IF, 0x4000, ss].map(
      (word, index) => [0x8000 + 4 * index, word] as const,
    ),
  });

  it("goes back to the program's ring and stack", async ({ subject, show }) => {
    const run = await subject.call("returnFrom", toRing3(), 4);
    show(evidenceOf(run));
    const { cs, eip, ss, esp, cpl, eflags } = run.after;
    expect([cs, eip, ss, esp, cpl, eflags]).toEqual([CODE3, 0x5000, DATA3, 0x4000, 3, RESERVED | IF]);
  });

  it("takes away the data segments of the inner ring", async ({ subject, show }) => {
    const setup = { ...toRing3(), selectors: { ds: DATA0, es: DATA3, fs: DATA0, gs: DATA3 } };
    const run = await subject.call("returnFrom", setup, 4);
    show(evidenceOf(run));
    const { ds, es, fs, gs } = run.after;
    expect(
      [ds, es, fs, gs],
      "with DS of ring 0 still loaded, ring 3 would read the memory of ring 0",
    ).toEqual([0, DATA3, 0, DATA3]);
  });

  it("refuses a stack that is not that ring's, and changes nothing", async ({ subject, show }) => {
    for (const [what, ss, fault] of [
      ["the stack of ring 0", DATA0, "#GP(0x0010)"],
      ["no selector", 0, "#GP(0x0000)"],
      ["code", CODE3, "#GP(0x0018)"],
    ] as const) {
      const run = await subject.call("returnFrom", toRing3(ss), 4);
      show(evidenceOf(run));
      expect(run.fault, `SS of the frame is ${what}`).toBe(fault);
      expect(run.after).toEqual(run.before);
    }
  });

  it("runs a program in ring 3 and stops it at a port", async ({ subject, show }) => {
    const { image, output } = expectedRun("syscall");
    const run = await subject.call("guest", image, true);
    show({ note: run.output });
    expect(run.output).toBe(output);
  });
});

describe("double-fault", () => {
  const CONTRIBUTORY = [0, 10, 11, 12, 13];
  const EXCEPTIONS = [0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 19];

  it("knows which exceptions are contributory", async ({ subject }) => {
    const classes = await subject.call("classes", EXCEPTIONS);
    const expected = EXCEPTIONS.map(vector => {
      if (CONTRIBUTORY.includes(vector)) return "contributory";
      return vector === 14 ? "page fault" : vector === 8 ? "double fault" : "benign";
    });
    expect(Object.fromEntries(EXCEPTIONS.map((vector, at) => [`vector ${vector}`, classes[at]]))).toEqual(
      Object.fromEntries(EXCEPTIONS.map((vector, at) => [`vector ${vector}`, expected[at]])),
    );
  });

  it("knows all pairs", async ({ subject }) => {
    // One of each class: benign, contributory, page fault, double fault (SDM vol. 3A, table 6-5).
    const table = [
      [6, ["serial", "serial", "serial"]],
      [13, ["serial", "double fault", "serial"]],
      [14, ["serial", "double fault", "double fault"]],
      [8, ["serial", "shutdown", "shutdown"]],
    ] as const;
    for (const [first, row] of table) {
      const seconds = [6, 11, 14];
      const got = await subject.call(
        "combine",
        seconds.map(second => [first, second] as const),
      );
      expect(got, `vectors ${seconds.join(", ")} during the delivery of ${first}`).toEqual([...row]);
    }
  });

  it("brings a guest without handlers to a double fault and to its end", async ({ subject, show }) => {
    const { image, output, last } = expectedRun("double-fault");
    const run = await subject.call("guest", image, true);
    show({ note: run.output });
    expect([run.output, run.last]).toEqual([output, last]);
  });
});
