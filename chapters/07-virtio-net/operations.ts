/**
 * What the graded tests of chapter 7 do with a card or a queue, as plain data, and a driver's work as such
 * operations: writing descriptors, making chains available, going through the status.
 */

/** Offsets of the registers that the tests use (VIRTIO 1.2, 4.2.2). */
export const REGISTERS = {
  magicValue: 0x000,
  version: 0x004,
  deviceId: 0x008,
  vendorId: 0x00c,
  deviceFeatures: 0x010,
  deviceFeaturesSel: 0x014,
  driverFeatures: 0x020,
  driverFeaturesSel: 0x024,
  queueSel: 0x030,
  queueNumMax: 0x034,
  queueNum: 0x038,
  queueReady: 0x044,
  queueNotify: 0x050,
  interruptStatus: 0x060,
  interruptAck: 0x064,
  status: 0x070,
  queueDescLow: 0x080,
  queueDescHigh: 0x084,
  queueDriverLow: 0x090,
  queueDeviceLow: 0x0a0,
  shmLenLow: 0x0b0,
  configGeneration: 0x0fc,
  config: 0x100,
} as const;

export const [NEXT, WRITE, INDIRECT] = [1, 2, 4];
export const [ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET, FAILED] = [1, 2, 4, 8, 0x40, 0x80];

/** One entry of a descriptor table. An address of more than 32 bits is a bigint. */
export type DescriptorFields = readonly [
  address: number | bigint,
  length: number,
  flags: number,
  next?: number,
];

/** Guest memory that is written before something happens. */
export interface Poke {
  readonly do: "poke";
  readonly at: number;
  readonly bytes: readonly number[];
}

export type CardOperation =
  | Poke
  | { do: "peek"; at: number; length: number }
  | { do: "read"; at: number; size?: 1 | 2 | 4 }
  | { do: "write"; at: number; value: number; size?: 1 | 2 | 4 }
  /** A frame comes from the network. */
  | { do: "arrive"; frame: readonly number[] }
  /** The cable is plugged or pulled. */
  | { do: "link"; isUp: boolean }
  /** The card owes the driver these reasons, and its line is high. */
  | { do: "owe"; causes: number }
  | { do: "irq" }
  /** Whether the card can work with the features that the driver chose. */
  | { do: "accepts" }
  | { do: "look" };

export type QueueOperation =
  | Poke
  | { do: "waiting" }
  | { do: "pop" }
  /** Makes one more chain available and takes it, so many times; its result is how many were there. */
  | { do: "take"; count: number }
  | { do: "unpop"; count: number }
  /** Returns the chain that was taken first and not returned yet. */
  | { do: "push"; written: number }
  | { do: "publish" }
  /** idx, avail_event and the entries of the used ring. */
  | { do: "used" };

/** A guest-physical number as bytes. */
export function littleEndian(value: number | bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn));
}

/** Writes descriptors to a table, from entry 0 on. */
export function describeAt(table: number, ...descriptors: DescriptorFields[]): Poke {
  const bytes = descriptors.flatMap(([address, length, flags, next = 0]) => [
    ...littleEndian(address, 8),
    ...littleEndian(length, 4),
    ...littleEndian(flags, 2),
    ...littleEndian(next, 2),
  ]);
  return { do: "poke", at: table, bytes };
}

/** Puts heads into an available ring of `size` entries, whose idx is `from` now. */
export function makeAvailable(ring: number, size: number, heads: readonly number[], from = 0): Poke[] {
  const entries = heads.map((head, at): Poke => {
    return { do: "poke", at: ring + 4 + 2 * ((from + at) % size), bytes: littleEndian(head, 2) };
  });
  return [...entries, { do: "poke", at: ring + 2, bytes: littleEndian((from + heads.length) & 0xffff, 2) }];
}

export const read = (at: number, size: 1 | 2 | 4 = 4): CardOperation => ({ do: "read", at, size });
export const write = (at: number, value: number, size: 1 | 2 | 4 = 4): CardOperation => ({
  do: "write",
  at,
  value,
  size,
});

/** The driver's way up to FEATURES_OK, with feature bits 0 to 31; VERSION_1 is added. */
export function negotiate(features: number): CardOperation[] {
  const { status, driverFeatures, driverFeaturesSel } = REGISTERS;
  return [
    write(status, ACKNOWLEDGE),
    write(status, ACKNOWLEDGE | DRIVER),
    write(driverFeaturesSel, 0),
    write(driverFeatures, features),
    write(driverFeaturesSel, 1),
    write(driverFeatures, 1),
    write(status, ACKNOWLEDGE | DRIVER | FEATURES_OK),
  ];
}

/** Where the tests put the rings of a queue. */
export interface QueueAreas {
  readonly descriptorTable: number;
  readonly availableRing: number;
  readonly usedRing: number;
}

/** Hands a queue of `size` entries over to the device. */
export function setUpQueue(index: number, size: number, areas: QueueAreas): CardOperation[] {
  const { queueSel, queueNum, queueReady, queueDescLow, queueDriverLow, queueDeviceLow } = REGISTERS;
  return [
    write(queueSel, index),
    write(queueNum, size),
    write(queueDescLow, areas.descriptorTable),
    write(queueDriverLow, areas.availableRing),
    write(queueDeviceLow, areas.usedRing),
    write(queueReady, 1),
  ];
}

export const driverOk = write(REGISTERS.status, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
