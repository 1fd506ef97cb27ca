/**
 * Capture files: pcapng, one section with one Ethernet interface whose times are nanoseconds.
 *
 * Written here because a block is a dozen lines, and the writers on npm take their time from the wall
 * clock. Source: draft-ietf-opsawg-pcapng, 4.1 to 4.3; all numbers little-endian.
 */
const SECTION_HEADER = 0x0a0d_0d0a;
const BYTE_ORDER = 0x1a2b_3c4d;
const INTERFACE = 1;
const ENHANCED_PACKET = 6;
const ETHERNET = 1;

const IF_NAME = 2;
const IF_TSRESOL = 9;
const NANOSECONDS = 9; // ten to the minus ninth
const SHB_USERAPPL = 4;
const EPB_FLAGS = 2;

export type Direction = "to guest" | "from guest";
/** As a capturing interface of the guest's would say: 1 inbound, 2 outbound. */
const DIRECTION_FLAGS: Readonly<Record<Direction, number>> = { "to guest": 1, "from guest": 2 };

/** The blocks that a file begins with. */
export function fileHeader(interfaceName: string): Uint8Array {
  const section = new Uint8Array(16 + textOption(SHB_USERAPPL, "vmexit").length + 4);
  const view = new DataView(section.buffer);
  view.setUint32(0, BYTE_ORDER, true);
  view.setUint16(4, 1, true);
  view.setBigInt64(8, -1n, true); // the section's length is not known
  section.set(textOption(SHB_USERAPPL, "vmexit"), 16);

  const name = textOption(IF_NAME, interfaceName);
  const resolution = option(IF_TSRESOL, Uint8Array.of(NANOSECONDS));
  const described = new Uint8Array(8 + name.length + resolution.length + 4);
  const description = new DataView(described.buffer);
  description.setUint16(0, ETHERNET, true);
  described.set(name, 8);
  described.set(resolution, 8 + name.length);
  return concatenate([block(SECTION_HEADER, section), block(INTERFACE, described)]);
}

/** The block of a frame that passed at `time`, in nanoseconds. */
export function packetBlock(frame: Uint8Array, time: number, direction: Direction): Uint8Array {
  const padded = (frame.length + 3) & ~3;
  const body = new Uint8Array(20 + padded + 8 + 4);
  const view = new DataView(body.buffer);
  view.setUint32(4, Math.floor(time / 0x1_0000_0000), true);
  view.setUint32(8, time % 0x1_0000_0000, true);
  view.setUint32(12, frame.length, true);
  view.setUint32(16, frame.length, true);
  body.set(frame, 20);
  view.setUint16(20 + padded, EPB_FLAGS, true);
  view.setUint16(22 + padded, 4, true);
  view.setUint32(24 + padded, DIRECTION_FLAGS[direction], true);
  return block(ENHANCED_PACKET, body);
}

/** Type, length, body, length again. */
function block(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, bytes.length, true);
  return bytes;
}

/** Code, length, value, padded to 4 bytes. */
function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + ((value.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  bytes.set(value, 4);
  return bytes;
}

function textOption(code: number, text: string): Uint8Array {
  return option(code, new TextEncoder().encode(text));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
