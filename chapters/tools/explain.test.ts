import { describe, expect, it } from "vitest";
import { expect as plainExpect } from "./assertions.ts";
import { readChapter } from "./chapters.ts";
import { explainFailure } from "./explain.ts";
import { holeMessage } from "./starter.ts";

const chapter = readChapter("01-minimal-vm");
const task = chapter.tasks[0]!;
const where = { chapter, task };

function failure(assertion: () => void): unknown {
  try {
    assertion();
  } catch (error) {
    return error;
  }
  throw new Error("the assertion passed");
}

describe("what a failing test says", () => {
  it("sets expected beside got, in hex, and marks the lines that differ", async () => {
    const error = failure(() => plainExpect({ a: 0x1234, b: 1 }, "the sum").toEqual({ a: 0x1235, b: 1 }));
    expect((await explainFailure(error, where, {})).split("\n")).toEqual([
      "the sum: expected { a: 4660, b: 1 } to deeply equal { a: 4661, b: 1 }",
      "",
      "  expected              got",
      "≠ { a: 0x1235, b: 1 }   { a: 0x1234, b: 1 }",
      "",
      `Read “${task.heading}”: docs/chapters/01-minimal-vm.md#${task.anchor}`,
    ]);
  });

  it("sets a whole number beside a broken one in decimal", async () => {
    const text = await explainFailure(
      failure(() => plainExpect(86_805.5).toBe(86_806)),
      where,
      {},
    );
    expect(text.split("\n")).toContain("≠ 86806      86805.5");
  });

  it("shows many bytes in rows, with the index of the first", async () => {
    const bytes = Uint8Array.from({ length: 20 }, (_, at) => at);
    const text = await explainFailure(
      failure(() => plainExpect(bytes).toEqual(bytes.with(9, 0xff))),
      where,
      {},
    );
    expect(text).toContain("≠ byte    8: 08 ff 0a 0b 0c 0d 0e 0f   byte    8: 08 09 0a 0b 0c 0d 0e 0f\n");
    expect(text).toContain("  byte   16: 10 11 12 13");
  });

  it("shows the pattern that a text has to match", async () => {
    const error = failure(() =>
      plainExpect({ error: "no" }).toEqual({ error: plainExpect.stringMatching(/modem.*serial/) }),
    );
    expect(await explainFailure(error, where, {})).toContain("StringMatching /modem.*serial/");
  });

  it("shows registers before and after, exits, instructions and bytes", async () => {
    const text = await explainFailure(
      failure(() => plainExpect(1).toBe(2)),
      where,
      {
        before: { rax: 2n, rip: 0x1000n },
        after: { rax: 0x34n, rip: 0x1003n },
        exits: [{ reason: "HLT" }],
        code: {
          bytes: Uint8Array.of(0xba, 0xf8, 0x03, 0x00, 0xd8, 0xf4),
          address: 0x1000,
          rip: 0x1003,
          bits: 16,
        },
        memory: { address: 0x1000, bytes: new TextEncoder().encode("Hello, machine!\n+") },
        note: "a note",
      },
    );
    for (const line of [
      "a note",
      "  eax 0000_0002",
      "  eax 0000_0034*",
      "  eip 0000_1003*",
      "  #1   HLT",
      "    0x0000_1000  ba f8 03  mov dx, 0x3f8",
      "  → 0x0000_1003  00 d8     add al, bl",
      "    0x0000_1005  f4        hlt",
      "  0x0000_1000  48 65 6c 6c 6f 2c 20 6d 61 63 68 69 6e 65 21 0a  Hello, machine!.",
      `  0x0000_1010  2b${" ".repeat(45)}  +`,
    ]) {
      expect(text.split("\n")).toContain(line);
    }
  });

  it("names an error of the learner's code", async () => {
    expect(await explainFailure(new TypeError("x is not a function"), where, {})).toMatch(
      /^your code threw TypeError: x is not a function/,
    );
  });

  it("adds nothing to a starter's hole", async () => {
    const message = holeMessage(chapter, task, task.regions[0]!);
    expect(await explainFailure(new Error(message), where, { note: "more" })).toBe(message);
  });
});
