import { bzImage, SETUP_CODE } from "../../sandbox/boot/test-images.ts";
import { guestImage } from "../tools/guest-image.ts";
import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const MIB = 0x10_0000;
const USABLE = "usable";
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

describe("runtime-start", () => {
  const start = (relocatable: number, preferred: number, alignment: number) =>
    bzImage(undefined, [0x234, 1, relocatable], [0x258, 4, preferred], [0x230, 4, alignment]);

  it("is the preferred address of a kernel that cannot be relocated", async ({ subject }) => {
    const starts = await subject.call("runtimeStarts", [start(0, 0x100_0000, 0x20_0000)]);
    expect(starts).toEqual([0x100_0000]);
  });

  it("aligns a relocatable kernel", async ({ subject }) => {
    const starts = await subject.call(
      "runtimeStarts",
      [0x100_0000, 0x110_0000, 0x1000].map(preferred => start(1, preferred, 0x20_0000)),
    );
    expect(starts.slice(0, 2), "up to the next multiple of kernel_alignment").toEqual([
      0x100_0000, 0x120_0000,
    ]);
    expect(starts[2], "not below the place where it was loaded, 1 MiB, then up").toBe(0x20_0000);
  });
});

describe("setup-header", () => {
  it("finds the kernel behind boot sector and setup code", async ({ subject }) => {
    const { kernelOffset, kernelSize } = await header(subject, bzImage(new Uint8Array(160)));
    expect(kernelOffset, "the boot sector comes before the setup code: setup_sects does not count it").toBe(
      3 * 512,
    );
    expect(kernelSize, "syssize counts paragraphs of 16 bytes").toBe(160);
  });

  it("takes 0 setup sectors for 4", async ({ subject }) => {
    const image = new Uint8Array(5 * 512 + 100);
    image.set(bzImage(undefined, [0x1f1, 1, 0]));
    expect((await header(subject, image)).kernelOffset, "0 means 4, and the boot sector is one more").toBe(
      5 * 512,
    );
  });

  it("takes a last paragraph that is not full", async ({ subject }) => {
    expect((await header(subject, bzImage(new Uint8Array(100)))).kernelSize, "100 bytes of 112").toBe(100);
  });

  it("finds the header's end by its jump", async ({ subject }) => {
    const ends = [];
    for (const displacement of [0x6a, 0x50, 0xff]) {
      ends.push((await header(subject, bzImage(undefined, [0x201, 1, displacement]))).end);
    }
    expect(ends.slice(0, 2), "the jump at 0x200 leads behind the header").toEqual([0x26c, 0x252]);
    expect(ends[2], "other fields of the page begin at 0x290").toBe(0x290);
  });

  it("reads what the kernel wants of its loader", async ({ subject }) => {
    const image = bzImage(undefined, [0x22c, 4, 0x37ff_ffff], [0x238, 4, 2047], [0x260, 4, 0x123_4000]);
    expect(await header(subject, image)).toMatchObject({
      version: 0x020f,
      initrdAddressMax: 0x37ff_ffff,
      commandLineSize: 2047,
      initSize: 0x123_4000,
      isLongMode: false,
    });
  });

  it("knows a kernel that wants a 64-bit processor", async ({ subject }) => {
    const image = bzImage(undefined, [0x236, 2, 0b0000_0011]);
    expect((await header(subject, image)).isLongMode, "bit 0 of xloadflags").toBe(true);
  });

  it("reads no field that its version does not have", async ({ subject }) => {
    const old = (version: number) =>
      bzImage(new Uint8Array(160), [0x206, 2, version], [0x236, 2, 1], [0x258, 4, 0x300_0000]);
    const before210 = await header(subject, old(0x0209));
    expect(before210.initSize, "2.09 has no init_size: what it needs is its size").toBe(160);
    expect(before210.runtimeStart, "and no pref_address").toBe(MIB);
    expect((await header(subject, old(0x020b))).isLongMode, "2.11 has no xloadflags").toBe(false);
  });

  it("tells where the kernel will run, by the function beside it", async ({ subject }) => {
    const image = bzImage(undefined, [0x234, 1, 0], [0x258, 4, 0x300_0000]);
    expect((await header(subject, image)).runtimeStart, "2.15 has pref_address").toBe(0x300_0000);
  });

  it("refuses a file that ends before its kernel", async ({ subject }) => {
    const cut = bzImage(new Uint8Array(4096)).subarray(0, 4000);
    expect(await subject.call("setupHeader", cut), "checkLength is there to refuse it").toHaveProperty(
      "refused",
    );
  });
});

describe("memory-map", () => {
  it("leaves out the video memory", async ({ subject }) => {
    const [map = []] = await subject.call("memoryMap", [64 * MIB]);
    const isUsable = (address: number) =>
      map.some(({ start, size, type }) => type === USABLE && start <= address && address < start + size);
    const asked = [0, 0x9_fbff, 0x9_fc00, 0xa_0000, 0xc_0000, 0xf_0000, MIB, 64 * MIB - 1];
    expect(asked.map(isUsable), "0xa0000 to 0xfffff is no RAM, nor is the firmware's data below").toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      true,
      true,
    ]);
  });

  it("ends where RAM ends", async ({ subject }) => {
    const maps = await subject.call("memoryMap", [16 * MIB, 512 * MIB, 3072 * MIB]);
    expect(
      maps.map(map => map.at(-1)),
      "a range has a start and a size, not an end",
    ).toEqual([16, 512, 3072].map(mebibytes => ({ start: MIB, size: (mebibytes - 1) * MIB, type: USABLE })));
  });

  it("has ranges that rise, are not empty and do not overlap", async ({ subject }) => {
    const maps = await subject.call("memoryMap", [MIB, 2 * MIB, 64 * MIB]);
    expect(maps).toHaveLength(3);
    for (const map of maps) {
      expect(map.length, "some memory is there").toBeGreaterThan(0);
      let end = 0;
      for (const { start, size } of map) {
        expect(start, "each begins at or behind the end of the one before").toBeGreaterThanOrEqual(end);
        expect(size, "an empty range is none").toBeGreaterThan(0);
        end = start + size;
      }
    }
  });
});

describe("initrd", () => {
  it("goes to the top, on a page of its own", async ({ subject }) => {
    const room = { from: 2 * MIB, limit: 64 * MIB };
    const addresses = [];
    for (const size of [4096, 5000, 1]) addresses.push(await addressOf(subject, size, room));
    expect(
      addresses.filter(address => address % 4096 !== 0),
      "a multiple of 4096",
    ).toEqual([]);
    expect(addresses[1]! + 5000, "it would end behind the limit").toBeLessThanOrEqual(64 * MIB);
    expect(addresses, "as high as it can").toEqual([64 * MIB - 4096, 64 * MIB - 8192, 64 * MIB - 4096]);
  });

  it("minds a limit that is on no page", async ({ subject }) => {
    const address = await addressOf(subject, 4096, { from: 0, limit: 3 * MIB - 1 });
    expect(address).toBe(3 * MIB - 8192);
  });

  it("refuses to lie where the kernel unpacks itself", async ({ subject }) => {
    const room = { from: 24 * MIB, limit: 64 * MIB };
    expect(await subject.call("placeInitrd", 40 * MIB, room)).toEqual({ value: 24 * MIB });
    const tooBig = await subject.call("placeInitrd", 40 * MIB + 1, room);
    expect(tooBig, "the kernel would write over it").toEqual({
      refused: expect.any(String),
    });
  });
});

describe("command-line", () => {
  it("ends with a zero", async ({ subject }) => {
    const { value } = (await subject.call("commandLine", "quiet", 255)) as { value: Uint8Array };
    expect([...value], "the kernel reads up to the zero").toEqual([0x71, 0x75, 0x69, 0x65, 0x74, 0]);
  });

  it("may be as long as the kernel reads, the zero not counted", async ({ subject }) => {
    const longest = await subject.call("commandLine", "x".repeat(255), 255);
    expect(longest, "255 bytes of 255 and a zero").toHaveProperty("value");
    const longer = await subject.call("commandLine", "x".repeat(256), 255);
    expect(longer, "256 bytes of 255: refuse, or Linux cuts it off without a word").toHaveProperty("refused");
  });

  it("counts bytes", async ({ subject }) => {
    expect(await subject.call("commandLine", "ü".repeat(4), 7), "ü takes two").toHaveProperty("refused");
  });
});

describe("e820", () => {
  const map = [
    { start: 0, size: 0x9_fc00, type: "usable" },
    { start: 0xf_0000, size: 0x1_0000, type: "reserved" },
    { start: MIB, size: 0xbff0_0000, type: "usable" },
  ] as const;

  it("tells how many lines there are", async ({ subject }) => {
    const page = await subject.call("e820", map);
    expect(page[0x1e8], "where the number is 0 no line is read").toBe(3);
  });

  it("packs lines of 20 bytes", async ({ subject }) => {
    const page = viewOf(await subject.call("e820", map));
    const lines = map.map((_, index) => {
      const at = 0x2d0 + 20 * index;
      return [page.getBigUint64(at, true), page.getBigUint64(at + 8, true), page.getUint32(at + 16, true)];
    });
    expect(lines, "start, size and type: 20 bytes a line, from 0x2d0 on").toEqual([
      [0n, 0x9_fc00n, 1],
      [0xf_0000n, 0x1_0000n, 2],
      [0x10_0000n, 0xbff0_0000n, 1],
    ]);
  });
});

describe("boot-params", () => {
  const image = bzImage(undefined, [0x264, 4, 0x1234_5678], [0x206, 2, 0x020f]);

  it("copies the header, and nothing else", async ({ subject }) => {
    const page = await subject.call("bootParams", image, 0x26c, { map: [] });
    expect(page.length).toBe(4096);
    const view = viewOf(page);
    expect(
      [view.getUint32(0x202, true), view.getUint16(0x206, true), view.getUint32(0x264, true)],
      "the header stands where it stands in the image",
    ).toEqual([0x5372_6448, 0x020f, 0x1234_5678]);
    const strange = page.findIndex((byte, at) => (at < 0x1f1 || at >= 0x26c) && byte === SETUP_CODE);
    expect(strange, "the page is zero outside of the header: this offset has code of the image").toBe(-1);
  });

  it("writes the loader's answers", async ({ subject }) => {
    const initrd = { address: 0x30_0000, size: 9 };
    const page = viewOf(await subject.call("bootParams", image, 0x26c, { map: [], initrd }));
    expect(page.getUint8(0x210), "type_of_loader: without it the kernel ignores the initial RAM disk").toBe(
      0xff,
    );
    expect(page.getUint16(0x1fa, true), "vid_mode: the normal one").toBe(0xffff);
    expect(page.getUint32(0x214, true), "code32_start").toBe(0x10_0000);
    expect(page.getUint32(0x228, true), "cmd_line_ptr").toBe(0x2_0000);
    expect([page.getUint32(0x218, true), page.getUint32(0x21c, true)], "ramdisk_image and _size").toEqual([
      0x30_0000, 9,
    ]);
  });

  it("tells where ACPI's root pointer is, and of no initial RAM disk where there is none", async ({
    subject,
  }) => {
    const page = viewOf(
      await subject.call("bootParams", image, 0x26c, { map: [], acpiRootPointer: 0xe_0000 }),
    );
    expect(page.getBigUint64(0x70, true), "acpi_rsdp_addr").toBe(0xe_0000n);
    expect([page.getUint32(0x218, true), page.getUint32(0x21c, true)]).toEqual([0, 0]);
  });
});

describe("enter-linux", () => {
  it("begins in protected mode, without paging and without interrupts", async ({ subject }) => {
    const { regs, sregs } = await subject.call("enterLinux", 0x10_0000, 0x1_0000);
    expect([sregs.cr0 & 1n, sregs.cr0 >> 31n], "PE is set, PG is not").toEqual([1n, 0n]);
    expect((regs.rflags >> 9n) & 1n, "IF is clear: nobody would handle an interrupt").toBe(0n);
    expect(regs.rip).toBe(0x10_0000n);
    for (const { base, limit, db } of [sregs.cs, sregs.ds, sregs.es, sregs.ss]) {
      expect([base, limit, db], "flat: from 0, 4 GiB, 32 bits").toEqual([0n, 0xffff_ffff, 1]);
    }
  });

  it("uses the selectors that the protocol names", async ({ subject }) => {
    const { sregs } = await subject.call("enterLinux", 0x10_0000, 0x1_0000);
    expect(sregs.cs.selector, "__BOOT_CS is 0x10").toBe(0x10);
    expect([sregs.ds, sregs.es, sregs.ss].map(({ selector }) => selector)).toEqual([0x18, 0x18, 0x18]);
  });

  it("points to the boot parameters by ESI", async ({ subject }) => {
    const { regs } = await subject.call("enterLinux", 0x10_0000, 0x1_2000);
    expect(regs.rsi).toBe(0x1_2000n);
    expect(
      [regs.rbx, regs.rbp, regs.rdi],
      "the others are zero, so that later versions can use them",
    ).toEqual([0n, 0n, 0n]);
  });

  it("leaves a GDT that both selectors can be loaded from", async ({ subject }) => {
    const { sregs } = await subject.call("enterLinux", 0x10_0000, 0x1_0000);
    expect([sregs.gdt.base, sregs.gdt.limit], "the limit is one less than the size").toEqual([0x500n, 31]);
  });

  it("boots a kernel that checks all of it", async ({ subject }) => {
    const image = await guestImage(new URL("./guest/entry.bin", import.meta.url));
    const { output, last } = await subject.call("kernel", image, "", new Uint8Array());
    const wrong = output.split("\n").filter(line => line.includes("WRONG"));
    expect(wrong, "its own findings").toEqual([]);
    expect(last).toBe("HLT");
    expect(output.trimEnd().split("\n")).toHaveLength(9);
  });
});

type Subject = Parameters<Parameters<typeof it>[1]>[0]["subject"];

/** What the header says, of an image that must not be refused. */
async function header(subject: Subject, image: Uint8Array) {
  const answer = await subject.call("setupHeader", image);
  if ("refused" in answer) throw new Error(`a good image was refused: ${answer.refused}`);
  return answer.value;
}

/** Where the initial RAM disk goes, of one that there is room for. */
async function addressOf(subject: Subject, size: number, room: Room): Promise<number> {
  const answer = await subject.call("placeInitrd", size, room);
  if ("refused" in answer) throw new Error(`there is room, and it was refused: ${answer.refused}`);
  return answer.value;
}

interface Room {
  readonly from: number;
  readonly limit: number;
}
