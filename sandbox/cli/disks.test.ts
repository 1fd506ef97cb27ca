import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BlockStoreError } from "../devices/virtio-blk-store.ts";
import { openDisks } from "./disks.ts";

let folder: string;
let image: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vmexit-disks-"));
  image = join(folder, "disk.img");
  writeFileSync(image, new Uint8Array(4096).fill(0x11));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a disk image of the command line", () => {
  it("is written in place", () => {
    const disks = openDisks([{ path: image, mode: "write" }]);
    disks.stores[0]!.write(512, Uint8Array.of(1, 2, 3));
    disks.close();
    expect([...readFileSync(image).subarray(511, 516)]).toEqual([0x11, 1, 2, 3, 0x11]);
  });

  it("stays as it is under a snapshot, which the guest can write", () => {
    const disks = openDisks([{ path: image, mode: "snapshot" }]);
    const store = disks.stores[0]!;
    store.write(512, Uint8Array.of(1, 2, 3));
    const seen = new Uint8Array(5);
    store.read(511, seen);
    disks.close();
    expect([...seen]).toEqual([0x11, 1, 2, 3, 0x11]);
    expect(readFileSync(image).every(byte => byte === 0x11)).toBe(true);
  });

  it("is offered as read-only where that is asked for", () => {
    const disks = openDisks([{ path: image, mode: "readonly" }]);
    expect(disks.stores[0]!.isReadOnly).toBe(true);
    disks.close();
  });

  it.each([
    ["that is not there", () => join(folder, "none.img"), /none\.img: there is no such file/],
    ["that is a folder", () => folder, /this is a folder|is not a file/],
  ])("%s is refused with a sentence", (_what, path, sentence) => {
    expect(() =>
      openDisks([
        { path: image, mode: "write" },
        { path: path(), mode: "write" },
      ]),
    ).toThrow(BlockStoreError);
    expect(() => openDisks([{ path: path(), mode: "write" }])).toThrow(sentence);
  });
});
