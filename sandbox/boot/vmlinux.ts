/**
 * The ELF file that a bzImage carries: what its protected-mode code would unpack.
 *
 * Source: Linux kernel documentation, "The Linux/x86 Boot Protocol": payload_offset, payload_length.
 */
import { readSetupHeader } from "#layers/08-linux/setup-header.ts";

const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
/** Behind the compressed file the kernel's build puts the length of the unpacked one. */
const LENGTH_SIZE = 4;

/** The compressed payload of a bzImage; which compression it is, its first bytes tell. */
export function compressedVmlinux(image: Uint8Array): Uint8Array {
  const { kernelOffset } = readSetupHeader(image);
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const start = kernelOffset + view.getUint32(PAYLOAD_OFFSET, true);
  return image.subarray(start, start + view.getUint32(PAYLOAD_LENGTH, true) - LENGTH_SIZE);
}
