/** The guest of `bench cpu`: its image, what it needs, and its rows. */
import { fileURLToPath } from "node:url";

/** Multiboot, an ELF file: built by guest/build.ts. */
export const IMAGE = fileURLToPath(new URL("guest/image.elf", import.meta.url));
/** Flat, one sector: loads the image from a disk. */
export const BOOT_SECTOR = fileURLToPath(new URL("guest/boot.bin", import.meta.url));

/** Bytes. */
export const GUEST_RAM = 16 << 20;

export interface GuestRow {
  /** As the guest sends it. */
  readonly name: string;
  readonly text: string;
  /** What the row's work comes to on a right processor. */
  readonly checksum: string;
}

export const ROWS: readonly GuestRow[] = [
  { name: "sieve", text: "sieve of Eratosthenes", checksum: "000132a2" },
  { name: "calls", text: "recursive calls", checksum: "0007d8b5" },
  { name: "sha256", text: "SHA-256", checksum: "aed7d7fa" },
  { name: "crc32", text: "CRC-32 bit by bit", checksum: "800b6b5c" },
  { name: "quicksort", text: "quicksort", checksum: "e343a6e2" },
  { name: "copy-loop", text: "copy loop", checksum: "12166a59" },
  { name: "rep-movs", text: "REP MOVS", checksum: "2d863d87" },
  { name: "arithmetic64", text: "64-bit arithmetic", checksum: "a8a8a3e7" },
  { name: "x87", text: "x87", checksum: "0f676c71" },
  { name: "tlb-misses", text: "TLB misses", checksum: "071ef544" },
  { name: "self-modifying", text: "self-modifying code", checksum: "8c6caf1c" },
  { name: "port-io", text: "port I/O", checksum: "bd2142de" },
];
