/** Guests that are in no book, so that nobody can know what they print. */
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "hidden");

const text = (characters: string) => [...characters].map(character => character.charCodeAt(0));

describe("run-loop", () => {
  it("prints what an unknown guest prints, and no more", async ({ subject, show }) => {
    const image = Uint8Array.from([
      ...[0xba, 0xf8, 0x03], // mov dx, 0x3f8
      ...text("Kq7!").flatMap(byte => [0xb0, byte, 0xee]), // mov al, byte · out dx, al
      0xf4, // hlt
    ]);
    const run = await subject.call("guest", image);
    show({ exits: run.exits, before: run.before, after: run.after });
    expect(run.output).toBe("Kq7!");
    expect(run.exits.map(({ reason }) => reason)).toEqual(["IO", "IO", "IO", "IO", "HLT"]);
    expect(run.after.rax & 0xffn, "AL holds the last character").toBe(0x21n);
  });

  it("gives up after as many exits as it may take", async ({ subject }) => {
    // out dx, al · jmp back
    const image = Uint8Array.from([0xba, 0xf8, 0x03, 0xb0, 0x2e, 0xee, 0xeb, 0xfd]);
    const run = await subject.call("guest", image, 7);
    expect(run.output).toBe(".".repeat(7));
    expect(run.exits).toHaveLength(7);
  });
});

describe("handle-io", () => {
  it("is the port of both directions in one guest", async ({ subject }) => {
    const { seen, data } = await subject.call(
      "accesses",
      [
        { reason: "IO", direction: "in", port: 0x1234, size: 2, count: 1, data: new Uint8Array(2) },
        { reason: "IO", direction: "out", port: 0xfff0, size: 4, count: 1, data: Uint8Array.of(4, 3, 2, 1) },
      ],
      [0xbeef],
    );
    expect(seen).toEqual([
      ["port", "read", 0x1234, 2],
      ["port", "write", 0xfff0, 4, 0x0102_0304],
    ]);
    expect(data[0], "the guest reads it little-endian").toEqual([0xef, 0xbe]);
  });
});
