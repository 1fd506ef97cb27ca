/** Cases of chapter 4 that the book does not print. */
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "hidden");

describe("push", () => {
  it("wraps SP of a 16-bit stack in the middle of several pushes", async ({ subject }) => {
    const run = await subject.call("push", {
      base: 0x2_0000,
      bits: 16,
      limit: 0xffff,
      esp: 0x0002,
      pushes: [
        [2, 0xaaaa],
        [2, 0xbbbb],
      ],
    });
    expect(run.writes).toEqual([
      { at: 0x2_0000, size: 2, value: 0xaaaa },
      { at: 0x2_fffe, size: 2, value: 0xbbbb },
    ]);
    expect(run.esp).toBe(0xfffe);
  });
});

describe("vector-table", () => {
  it("reads the vector behind the first", async ({ subject }) => {
    const run = await subject.call(
      "deliver",
      {
        realMode: true,
        stack16: 0x7000,
        esp: 0x80,
        memory: [[4 * 0xff, 0x1000_0042]],
        selectors: { cs: 0x0123, ss: 0x0700 },
      },
      { vector: 0xff, source: "software" },
    );
    expect([run.after.cs, run.after.eip]).toEqual([0x1000, 0x0042]);
    expect(run.writes.map(({ value }) => value).slice(1)).toEqual([0x0123, 0x5000]);
  });
});

describe("acknowledge", () => {
  it("gives the spurious level when the request has gone, and leaves nothing in service", async ({
    subject,
  }) => {
    const results = await subject.call("pic", [
      { do: "write", offset: 0, bytes: [0x13] },
      { do: "write", offset: 1, bytes: [0x48, 0x01] },
      { do: "line", irq: 2, high: true },
      { do: "line", irq: 2, high: false },
      { do: "acknowledge" },
      { do: "isr" },
    ]);
    expect(results.slice(4), "IR7 of this controller, but not in service").toEqual([7, 0]);
  });
});
