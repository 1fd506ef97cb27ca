/**
 * Flat images: bytes that go to one address and are entered there in real mode, as a boot sector is. Below
 * 64 KiB all segments are 0 and the stack grows down from the image; above, all segments are the image's
 * and the stack grows down from their end.
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { Segment, Vcpu } from "../kvm/api.ts";
import { BootImageError } from "./boot-image-error.ts";

const VIDEO_MEMORY = 0xa_0000;

export interface FlatImage {
  readonly name: string;
  readonly image: Uint8Array;
  /** Guest-physical, below 640 KiB. */
  readonly address: number;
}

export function enterFlat(memory: GuestMemory, vcpu: Vcpu, { name, image, address }: FlatImage): void {
  if (address + image.length > VIDEO_MEMORY) {
    throw new BootImageError(
      name,
      `${image.length} bytes at 0x${address.toString(16)} reach into the video memory at 0xa0000`,
      "A flat image is entered in real mode, below 640 KiB",
    );
  }
  memory.load(name, image, address);
  const isInFirst64KiB = address < 0x1_0000;
  const selector = isInFirst64KiB ? 0 : address >> 4;
  const segment = (from: Segment): Segment => ({ ...from, selector, base: BigInt(selector * 16) });
  const sregs = vcpu.getSregs();
  vcpu.setSregs({
    ...sregs,
    cs: segment(sregs.cs),
    ds: segment(sregs.ds),
    es: segment(sregs.es),
    ss: segment(sregs.ss),
  });
  const offset = BigInt(address - selector * 16);
  vcpu.setRegs({ ...vcpu.getRegs(), rip: offset, rsp: offset & 0xfffen, rflags: 0b10n });
}
