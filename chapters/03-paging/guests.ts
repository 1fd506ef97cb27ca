/** The guests of chapter 3 and what each must print, on any processor. */
import { guestImage } from "../tools/guest-image.ts";

export interface ExpectedRun {
  readonly name: string;
  readonly image: Uint8Array;
  readonly output: string;
  /** Turns 32-bit paging on, which not every KVM can run. */
  readonly pages: boolean;
  /** Depends on what the TLB keeps: a real processor may forget an entry at any time (SDM vol. 3A, 4.10.4). */
  readonly dependsOnTlb?: true;
}

async function guest(
  name: string,
  lines: readonly string[],
  facts: { readonly pages: boolean; readonly dependsOnTlb?: true },
): Promise<ExpectedRun> {
  const image = await guestImage(new URL(`./guest/${name}.bin`, import.meta.url));
  return { name, image, output: lines.map(line => `${line}\n`).join(""), ...facts };
}

export const GUESTS: readonly ExpectedRun[] = await Promise.all([
  guest(
    "protected",
    [
      "32 bits: CR0 is 0x60000011",
      "writing to 0x00100000, reading 0xcafef00d",
      "through a segment that begins there: 0xcafef00d",
    ],
    { pages: false },
  ),
  guest(
    "paging",
    [
      "paging is on: CR0 is 0xe0010011",
      "written at  0x00009004",
      "found at    0xc0000004: 0x12345678",
      "entry after the read:  0x00009023",
      "entry after the write: 0x00009063",
    ],
    { pages: true },
  ),
  guest(
    "fault",
    [
      "page fault at 0x00400000, error code 0x00000002: mapping 0x00020000",
      "page fault at 0x00401000, error code 0x00000002: mapping 0x00021000",
      "page fault at 0x00402000, error code 0x00000002: mapping 0x00022000",
      "page fault at 0x00405004, error code 0x00000000: mapping 0x00023000",
      `sum of what the pages hold: 0x${(0x400000 + 0x401000 + 0x402000).toString(16).padStart(8, "0")}`,
    ],
    { pages: true },
  ),
  guest(
    "copy-on-write",
    [
      "child reads   0x11111111",
      "write to 0x00400000, error code 0x00000003: copying the page",
      "child reads   0x22222222",
      "parent reads  0x11111111",
    ],
    { pages: true },
  ),
  guest(
    "stale",
    [
      "mapped to the first frame:  0x11111111",
      "mapped to the second frame: 0x11111111",
      "after INVLPG:               0x22222222",
    ],
    { pages: true, dependsOnTlb: true },
  ),
  guest("nested", ["four levels, from 0x00020000 on"], { pages: false }),
]);
