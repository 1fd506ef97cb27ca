/** Kernel images made to measure, for the tests: only what a loader looks at is in them. */

/** What to write where into an image. */
export type Field = readonly [at: number, size: 1 | 2 | 4, value: number];

/** Behind the header of `bzImage` there is this byte, as setup code would be. */
export const SETUP_CODE = 0xee;

/**
 * A bzImage of protocol 2.15 with 2 setup sectors and `code` behind them; its header ends at 0x26c. It is
 * relocatable, wants to run at 1 MiB and needs 64 KiB there. `fields` change it.
 */
export function bzImage(code: Uint8Array = new Uint8Array(100), ...fields: readonly Field[]): Uint8Array {
  const image = new Uint8Array(3 * 512 + code.length).fill(SETUP_CODE, 0, 3 * 512);
  image.fill(0, 0x1f1, 0x26c);
  put(image, [
    [0x1f1, 1, 2],
    [0x1f4, 4, Math.ceil(code.length / 16)],
    [0x1fe, 2, 0xaa55],
    [0x200, 2, 0x6aeb],
    [0x202, 4, 0x5372_6448],
    [0x206, 2, 0x020f],
    [0x211, 1, 0x01],
    [0x22c, 4, 0x7fff_ffff],
    [0x230, 4, 0x1000],
    [0x234, 1, 1],
    [0x238, 4, 255],
    [0x258, 4, 0x10_0000],
    [0x260, 4, 0x1_0000],
    ...fields,
  ]);
  image.set(code, 3 * 512);
  return image;
}

/**
 * An ELF file with one loadable segment, whose bytes are `code`, linked to 0xc010_0000 and loaded at
 * 0x0010_0000 with 64 bytes of zeros behind, and one segment of notes. `fields` change it.
 */
export function elfImage(code: Uint8Array, notes: Uint8Array, ...fields: readonly Field[]): Uint8Array {
  const [headers, size] = [52, 52 + 2 * 32];
  const image = new Uint8Array(size + code.length + notes.length);
  put(image, [
    [0, 4, 0x464c_457f],
    [4, 4, 0x0001_0101],
    [16, 2, 2],
    [18, 2, 3],
    [20, 4, 1],
    [24, 4, 0xc010_0000],
    [28, 4, headers],
    [40, 2, headers],
    [42, 2, 32],
    [44, 2, 2],
    ...programHeader(headers, 1, size, 0x10_0000, code.length, code.length + 64),
    ...programHeader(headers + 32, 4, size + code.length, 0x10_0000, notes.length, notes.length),
    ...fields,
  ]);
  image.set(code, size);
  image.set(notes, size + code.length);
  return image;
}

function programHeader(
  at: number,
  type: number,
  offset: number,
  paddr: number,
  file: number,
  memory: number,
) {
  const words = [type, offset, paddr + 0xc000_0000, paddr, file, memory, 7, 4];
  return words.map((word, index): Field => [at + 4 * index, 4, word]);
}

export interface Note {
  /** Without its final zero. */
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
}

/** Notes as they stand in a file. */
export function noteBytes(...notes: readonly Note[]): Uint8Array {
  const filledUp = (bytes: readonly number[]) => [...bytes, ...Array((4 - (bytes.length % 4)) % 4).fill(0)];
  const word = (value: number) => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
  return Uint8Array.from(
    notes.flatMap(({ owner, type, description }) => {
      const name = [...new TextEncoder().encode(owner), 0];
      return [
        ...word(name.length),
        ...word(description.length),
        ...word(type),
        ...filledUp(name),
        ...filledUp([...description]),
      ];
    }),
  );
}

/** A number of 32 bits as 4 bytes. */
export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  put(bytes, [[0, 4, value]]);
  return bytes;
}

function put(image: Uint8Array, fields: readonly Field[]): void {
  const view = new DataView(image.buffer);
  for (const [at, size, value] of fields) {
    if (size === 1) view.setUint8(at, value);
    else if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
  }
}
