import { elfImage, noteBytes, word } from "../../sandbox/boot/test-images.ts";
import { guestImage } from "../tools/guest-image.ts";
import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import type { subject as chapterSubject } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const CODE = Uint8Array.from({ length: 40 }, (_, at) => at + 1);
const ENTRY = 18;
const XEN = { owner: "Xen", type: ENTRY, description: word(0x10_0000) };
const P_FILESZ = 52 + 16;
const P_MEMSZ = 52 + 20;

describe("segment", () => {
  it("takes the physical address", async ({ subject }) => {
    const answer = await subject.call("elf", elfImage(CODE, noteBytes(XEN)));
    const [segment] = "value" in answer ? answer.value.segments : [];
    expect(segment?.address, "it was linked to 0xc0100000, but paging is off").toBe(0x10_0000);
    expect(segment?.size, "what it needs in memory").toBe(104);
    expect([...(segment?.bytes ?? [])], "what is in the file").toEqual([...CODE]);
  });

  it("refuses a segment that is not in the file", async ({ subject }) => {
    const image = elfImage(CODE, noteBytes(XEN));
    const cut = await subject.call("elf", image.subarray(0, image.length - 1));
    expect(Object.keys(cut), "the file was cut short by a byte").toEqual(["refused"]);
    const endless = elfImage(CODE, noteBytes(XEN), [P_FILESZ, 4, 0xffff_ffff], [P_MEMSZ, 4, 0xffff_ffff]);
    expect(Object.keys(await subject.call("elf", endless)), "4 GiB of a small file").toEqual(["refused"]);
  });

  it("refuses one that is longer in the file than in memory", async ({ subject }) => {
    const small = await subject.call("elf", elfImage(CODE, noteBytes(XEN), [P_MEMSZ, 4, 39]));
    expect(Object.keys(small), "40 bytes do not fit into 39").toEqual(["refused"]);
  });
});

describe("load-segment", () => {
  /** 40 bytes of the file and 64 that it leaves to be cleared. */
  const segment = (address: number) => ({ address, bytes: CODE, size: 104 });

  it("puts the file's bytes to their address", async ({ subject }) => {
    const loaded = await subject.call("loadedSegment", segment(0x10_0000), 0x10_0000, 40);
    expect(loaded).toEqual({ value: CODE });
  });

  it("clears what the file does not fill", async ({ subject }) => {
    const loaded = await subject.call("loadedSegment", segment(0x10_0000), 0x10_0000 + 40, 66);
    const bytes = "value" in loaded ? [...loaded.value] : [];
    expect(bytes.slice(0, 64), "zeros behind the file's bytes, 64 of them").toEqual(Array(64).fill(0));
    expect(bytes.slice(64), "and not one more").toEqual([0xcc, 0xcc]);
  });

  it("never gets a segment that the machine has no RAM for", async ({ subject }) => {
    // The given check comes first; what fits exactly must still be loaded.
    const last = 0x40_0000 - 104;
    const fits = await subject.call("loadedSegment", segment(last), last, 1);
    expect(fits).toEqual({ value: CODE.slice(0, 1) });
    expect(await subject.call("loadedSegment", segment(last + 1), 0, 1)).toHaveProperty("refused");
  });
});

describe("notes", () => {
  it("reads owner, type and description", async ({ subject }) => {
    const notes = [XEN, { owner: "GNU", type: 3, description: Uint8Array.of(1, 2, 3, 4) }];
    expect(await subject.call("notes", noteBytes(...notes))).toEqual({ value: notes });
  });

  it("fills names and descriptions up to 4 bytes", async ({ subject }) => {
    const notes = [
      { owner: "Linux", type: 1, description: Uint8Array.of(7, 8, 9, 10, 11) },
      { owner: "", type: 2, description: Uint8Array.of() },
      XEN,
    ];
    expect(
      await subject.call("notes", noteBytes(...notes)),
      "“Linux” and its zero are 6 bytes, filled up to 8; the description's 5 are too",
    ).toEqual({ value: notes });
  });

  it("refuses a note that is cut short", async ({ subject }) => {
    const bytes = noteBytes(XEN);
    const cut = await subject.call("notes", bytes.subarray(0, bytes.length - 1));
    expect(Object.keys(cut), "its description should have a byte more").toEqual(["refused"]);
  });
});

describe("pvh-entry", () => {
  it("finds Xen's note in any segment", async ({ subject }) => {
    const other = noteBytes({ owner: "GNU", type: 3, description: word(1) });
    expect(await subject.call("pvhEntry", [other, noteBytes(XEN)])).toEqual({ value: 0x10_0000 });
  });

  it("asks whose note it is", async ({ subject }) => {
    const stranger = { owner: "Somebody", type: ENTRY, description: word(0xbad) };
    expect(
      await subject.call("pvhEntry", [noteBytes(stranger, XEN)]),
      "another owner's 18 means something else",
    ).toEqual({ value: 0x10_0000 });
    expect(await subject.call("pvhEntry", [noteBytes(stranger)]), "and alone it is none").toEqual({
      value: null,
    });
  });

  it("takes the first 4 bytes of a longer description, and refuses a shorter one", async ({ subject }) => {
    const note = (description: Uint8Array) => [noteBytes({ ...XEN, description })];
    const long = Uint8Array.of(0, 0, 0x10, 0, 0, 0, 0, 0);
    expect(await subject.call("pvhEntry", note(long)), "a 64-bit kernel's note").toEqual({
      value: 0x10_0000,
    });
    const short = await subject.call("pvhEntry", note(Uint8Array.of(1, 2)));
    expect(Object.keys(short), "2 bytes are no address").toEqual(["refused"]);
  });
});

describe("start-info", () => {
  const map = [
    { start: 0, size: 0x9_fc00, type: "usable" },
    { start: 0xf_0000, size: 0x1_0000, type: "reserved" },
    { start: 0x10_0000, size: 0x30_0000, type: "usable" },
  ] as const;
  const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const AT = 0x1_0000;

  it("begins with the magic number, and leads to command line and ACPI", async ({ subject }) => {
    const info = viewOf(await subject.call("startInfo", { map, acpiRootPointer: 0xe_0000 }));
    expect(info.getUint32(0, true), "“xEn3”, with bit 7 of the E set").toBe(0x336e_c578);
    expect(info.getBigUint64(24, true), "cmdline_paddr").toBe(0x2_0000n);
    expect(info.getBigUint64(32, true), "rsdp_paddr").toBe(0xe_0000n);
  });

  it("has the memory map of version 1", async ({ subject }) => {
    const info = viewOf(await subject.call("startInfo", { map }));
    expect(info.getUint32(4, true), "version 0 has none, and a kernel would not look for one").toBe(1);
    expect(info.getUint32(48, true), "memmap_entries").toBe(3);
    const at = Number(info.getBigUint64(40, true)) - AT;
    const lines = map.map((_, index) => [
      info.getBigUint64(at + 24 * index, true),
      info.getBigUint64(at + 24 * index + 8, true),
      info.getUint32(at + 24 * index + 16, true),
    ]);
    expect(lines, "24 bytes a line").toEqual([
      [0n, 0x9_fc00n, 1],
      [0xf_0000n, 0x1_0000n, 2],
      [0x10_0000n, 0x30_0000n, 1],
    ]);
  });

  it("has the initial RAM disk as its one module", async ({ subject }) => {
    const info = viewOf(await subject.call("startInfo", { map, initrd: { address: 0x3f_0000, size: 31 } }));
    expect(info.getUint32(12, true), "nr_modules").toBe(1);
    const at = Number(info.getBigUint64(16, true)) - AT;
    expect(
      [0, 8, 16, 24].map(offset => info.getBigUint64(at + offset, true)),
      "where it is, how long it is, and no command line of its own",
    ).toEqual([0x3f_0000n, 31n, 0n, 0n]);
    const map0 = Number(info.getBigUint64(40, true)) - AT;
    expect(info.getBigUint64(map0 + 8, true), "the map lies behind the module").toBe(0x9_fc00n);
  });

  it("has no list where there is no module", async ({ subject }) => {
    const info = viewOf(await subject.call("startInfo", { map }));
    expect(
      [info.getUint32(12, true), info.getBigUint64(16, true)],
      "nr_modules and modlist_paddr are both 0",
    ).toEqual([0, 0n]);
  });
});

describe("enter-pvh", () => {
  it("points to the start info by EBX", async ({ subject }) => {
    const { regs } = await subject.call("enterPvh", 0x10_01cb, 0x1_0000);
    expect(regs.rbx, "EBX, not ESI").toBe(0x1_0000n);
    expect(regs.rip).toBe(0x10_01cbn);
    expect((regs.rflags >> 9n) & 1n, "IF is clear").toBe(0n);
  });

  it("begins in flat protected mode, with a task register", async ({ subject }) => {
    const { sregs } = await subject.call("enterPvh", 0x10_0000, 0x1_0000);
    expect([sregs.cr0 & 1n, sregs.cr0 >> 31n, sregs.cr4], "PE is set, PG is not, CR4 is zero").toEqual([
      1n,
      0n,
      0n,
    ]);
    for (const { base, limit, db } of [sregs.cs, sregs.ds, sregs.es, sregs.ss]) {
      expect([base, limit, db], "flat: from 0, 4 GiB, 32 bits").toEqual([0n, 0xffff_ffff, 1]);
    }
    const { base, limit, type, s } = sregs.tr;
    expect([base, limit, type, s], "TR: a busy 32-bit TSS of 0x68 bytes at 0").toEqual([0n, 0x67, 0b1011, 0]);
  });

  it("boots a kernel that tells what it found", async ({ subject }) => {
    const image = await guestImage(new URL("./guest/pvh.bin", import.meta.url));
    const initrd = Uint8Array.of(1, 2, 3);
    const { output, last } = await subject.call("kernel", image, "console=ttyS0", initrd);
    expect(last).toBe("HLT");
    expect(output).toContain("magic          0x336e_c578, version 1\n");
    expect(output).toContain("command line   console=ttyS0\n");
    expect(output).toContain("the first of 3 bytes at 0x003f_f000, their sum is 0x0000_0006\n");
    expect(output).toContain("behind the file are zeros\n");
  });
});
