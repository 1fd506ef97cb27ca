/** Random images, sizes of RAM, maps and notes, compared with the reference's loader. */
import { bzImage, elfImage, type Note, noteBytes } from "../../../sandbox/boot/test-images.ts";
import type { Random } from "../../tools/random.ts";
import { expect, graded } from "../../tools/suite.ts";
import chapter from "../chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "../subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter, "seeded");

const MIB = 0x10_0000;

/** A refusal is a refusal, in whatever words. */
const answer = (given: object) => ("refused" in given ? "refused" : given);

/** A bzImage that wants to run anywhere. */
const kernel = (random: Random) =>
  bzImage(
    new Uint8Array(random.between(1, 3000)),
    [0x234, 1, random.below(2)],
    [0x258, 4, random.between(1, 0x800) * 0x1_0000],
    [0x230, 4, 1 << random.between(12, 24)],
    [0x236, 2, random.below(4)],
    [0x238, 4, random.between(255, 4096)],
    [0x201, 1, random.between(0x50, 0x7f)],
  );

describe("setup-header", () => {
  it("reads any header", async ({ subject, reference, random }) => {
    for (const image of random.list(8, () => kernel(random))) {
      const fields = (given: object) => {
        // Where it runs is a task of its own.
        const { value } = given as { value?: { runtimeStart: number } };
        return value ? { ...value, runtimeStart: 0 } : "refused";
      };
      expect(fields(await subject.call("setupHeader", image))).toEqual(
        fields(await reference.call("setupHeader", image)),
      );
    }
  });
});

describe("runtime-start", () => {
  it("finds where any kernel unpacks itself", async ({ subject, reference, random }) => {
    const images = random.list(8, () => kernel(random));
    expect(await subject.call("runtimeStarts", images)).toEqual(
      await reference.call("runtimeStarts", images),
    );
  });
});

describe("memory-map", () => {
  it("maps any RAM", async ({ subject, reference, random }) => {
    const sizes = random.list(12, () => random.between(2, 3072) * MIB);
    expect(await subject.call("memoryMap", sizes)).toEqual(await reference.call("memoryMap", sizes));
  });
});

describe("initrd", () => {
  it("finds the highest room of any, or none", async ({ subject, reference, random }) => {
    for (let round = 0; round < 16; round++) {
      const from = random.between(1, 64) * MIB;
      const room = { from, limit: from + random.below(32 * MIB) };
      const size = random.between(1, 24 * MIB);
      expect(answer(await subject.call("placeInitrd", size, room))).toEqual(
        answer(await reference.call("placeInitrd", size, room)),
      );
    }
  });
});

describe("command-line", () => {
  it("takes bytes for bytes, up to the last that fits", async ({ subject, reference, random }) => {
    for (let round = 0; round < 12; round++) {
      const text = random
        .list(random.between(0, 20), () => random.pick(["a", "=", " ", "ä", "€", "𝄞"]))
        .join("");
      const most = new TextEncoder().encode(text).length + random.between(-2, 2);
      if (most < 0) continue;
      expect(answer(await subject.call("commandLine", text, most))).toEqual(
        answer(await reference.call("commandLine", text, most)),
      );
    }
  });
});

const anyMap = (random: Random) =>
  random.list(random.between(1, 20), () => ({
    start: random.below(0x1_0000) * 0x1_0000,
    size: random.between(1, 0x1_0000) * 0x1_0000,
    type: random.pick(["usable", "reserved"] as const),
  }));

/** What a loader may have to tell. */
const answers = (random: Random) => ({
  ...(random.oneIn(2) ? { initrd: { address: random.below(2 ** 32), size: random.below(2 ** 32) } } : {}),
  ...(random.oneIn(2) ? { acpiRootPointer: random.below(0x10_0000) } : {}),
  map: anyMap(random),
});

describe("boot-params", () => {
  it("tells the kernel all there is to tell", async ({ subject, reference, random }) => {
    for (let round = 0; round < 6; round++) {
      const image = kernel(random);
      const told = { ...answers(random), map: [] };
      expect(await subject.call("bootParams", image, 0x26c, told)).toEqual(
        await reference.call("bootParams", image, 0x26c, told),
      );
    }
  });
});

describe("e820", () => {
  it("writes any map", async ({ subject, reference, random }) => {
    for (let round = 0; round < 6; round++) {
      const map = anyMap(random);
      const lines = (page: Uint8Array) => [page[0x1e8], ...page.subarray(0x2d0, 0x2d0 + 20 * map.length)];
      expect(lines(await subject.call("e820", map))).toEqual(lines(await reference.call("e820", map)));
    }
  });
});

describe("segment", () => {
  it("takes any segment, or refuses it", async ({ subject, reference, random }) => {
    for (let round = 0; round < 10; round++) {
      const code = Uint8Array.from(random.bytes(random.between(1, 60)));
      const image = elfImage(
        code,
        noteBytes(),
        [64, 4, random.below(0x1000) * 0x1000],
        [72, 4, code.length + random.between(-1, 40)],
      );
      const cut = random.oneIn(4) ? image.subarray(0, image.length - 1) : image;
      expect(answer(await subject.call("elf", cut))).toEqual(answer(await reference.call("elf", cut)));
    }
  });
});

const anyNotes = (random: Random): Note[] =>
  random.list(random.between(1, 6), () => ({
    owner: random.pick(["Xen", "GNU", "Linux", "", "stapsdt"]),
    type: random.oneIn(3) ? 18 : random.below(32),
    description: Uint8Array.from(random.bytes(random.pick([0, 1, 4, 5, 8]))),
  }));

describe("notes", () => {
  it("reads any notes", async ({ subject, reference, random }) => {
    for (const notes of random.list(10, () => anyNotes(random))) {
      const bytes = noteBytes(...notes);
      expect(await subject.call("notes", bytes)).toEqual({ value: notes });
      const cut = bytes.subarray(0, bytes.length - random.between(1, 4));
      expect(answer(await subject.call("notes", cut))).toEqual(answer(await reference.call("notes", cut)));
    }
  });
});

describe("pvh-entry", () => {
  it("finds the one note that names it", async ({ subject, reference, random }) => {
    for (let round = 0; round < 10; round++) {
      const segments = random.list(random.between(1, 3), () =>
        noteBytes(
          ...anyNotes(random).map(note => {
            return note.owner === "Xen" && note.type === 18
              ? { ...note, description: Uint8Array.from(random.bytes(4)) }
              : note;
          }),
        ),
      );
      expect(await subject.call("pvhEntry", segments)).toEqual(await reference.call("pvhEntry", segments));
    }
  });
});

describe("start-info", () => {
  it("tells all there is to tell", async ({ subject, reference, random }) => {
    for (let round = 0; round < 6; round++) {
      const told = { ...answers(random), map: [] };
      const theirs = await subject.call("startInfo", told);
      expect(meaning(theirs)).toEqual(meaning(await reference.call("startInfo", told)));
    }
  });
});

/** What a kernel reads of it, wherever the lists lie. */
function meaning(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (offset: number) => Number(view.getBigUint64(offset, true)) - 0x1_0000;
  const numbers = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => view.getBigUint64(from + 8 * index, true));
  const modules = view.getUint32(12, true);
  const entries = view.getUint32(48, true);
  return {
    head: [view.getUint32(0, true), view.getUint32(4, true), modules, ...numbers(24, 2), entries],
    module: modules > 0 ? numbers(at(16), 4) : [],
    map: Array.from({ length: entries }, (_, index) => numbers(at(40) + 24 * index, 3)),
  };
}
