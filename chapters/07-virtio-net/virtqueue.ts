// Starter: write the exercises here; `npm run chapter 7` runs them, `npm run chapter 7 test` tests them.
// Generated from solutions/07-virtio-net/virtqueue.ts by `npm run starters` (20d78dd7).
/**
 * The device's side of a split virtqueue: three areas of guest memory through which buffers go to and fro.
 *
 *     descriptor table   16 bytes each (descriptor-chain.ts)                             the driver writes it
 *     available ring     flags (2)  idx (2)  ring: 2 bytes each    used_event (2)        the driver writes it
 *     used ring          flags (2)  idx (2)  ring: 8 bytes each    avail_event (2)       the device writes it
 *
 * A ring entry names the first descriptor of a chain. The two `idx` count for ever, modulo 2^16: how many
 * entries are new is the difference of two counts, and an entry's place is its count modulo the size.
 *
 * All of this is the guest's memory, so none of it can be trusted. A ring that breaks the rules ends in a
 * `VirtqueueError`, upon which the device gives up (DEVICE_NEEDS_RESET).
 *
 * Source: VIRTIO 1.2, 2.7 "Split Virtqueues".
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Chain, DESCRIPTOR_SIZE, VirtqueueError, walkChain } from "./descriptor-chain.ts";
import { hex, isRam } from "./spans.ts";

const AVAILABLE_F_NO_INTERRUPT = 0b1;

const U16 = 0xffff;

/** Where the driver put a queue. Addresses are guest-physical. */
export interface QueueSetup {
  /** Entries, a power of 2. */
  size: number;
  /** 16 byte aligned. */
  descriptorTable: number;
  /** 2 byte aligned. */
  availableRing: number;
  /** 4 byte aligned. */
  usedRing: number;
}

/** The three areas of a queue. */
export type QueueArea = Exclude<keyof QueueSetup, "size">;

/** What the driver and the device agreed on that concerns the rings. */
export interface RingFeatures {
  readonly hasIndirectDescriptors: boolean;
  readonly hasEventIndex: boolean;
}

type Halves = Record<QueueArea, { low: number; high: number }>;

export interface VirtqueueState {
  size: number;
  halves: Halves;
  isReady: boolean;
  nextAvailable: number;
  nextUsed: number;
  published: number;
}

export class Virtqueue {
  readonly #memory: GuestMemory;
  #setup: QueueSetup;
  #halves = noAddresses();
  #features: RingFeatures = { hasIndirectDescriptors: false, hasEventIndex: false };
  #isReady = false;
  /** The count of available entries taken. */
  #nextAvailable = 0;
  /** The count of used entries written, and how many of them `idx` has told the driver about. */
  #nextUsed = 0;
  #published = 0;

  /** `maxSize` is a power of 2, at most 32,768. */
  constructor(
    memory: GuestMemory,
    readonly maxSize: number,
  ) {
    this.#memory = memory;
    this.#setup = { size: maxSize, descriptorTable: 0, availableRing: 0, usedRing: 0 };
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get setup(): Readonly<QueueSetup> {
    return this.#setup;
  }

  /** Sets the number of entries; a queue in use keeps what it has. */
  setSize(size: number): void {
    if (!this.#isReady) this.#setup.size = size;
  }

  /**
   * Sets one half of the 64-bit address of an area; a queue in use keeps what it has. The halves are kept
   * apart: a number is not exact above 2^53, where there is no memory, but where a driver passes through.
   */
  setAddress(area: QueueArea, half: "low" | "high", value: number): void {
    if (this.#isReady) return;
    const halves = this.#halves[area];
    halves[half] = value;
    this.#setup[area] = halves.high * 0x1_0000_0000 + halves.low;
  }

  /** What `setAddress` last set. */
  addressHalf(area: QueueArea, half: "low" | "high"): number {
    return this.#halves[area][half];
  }

  // #region enable
  /** Begins to use the queue. Throws a `VirtqueueError` for a setup that cannot work. */
  enable(features: RingFeatures): void {
    const { size, descriptorTable, availableRing, usedRing } = this.#setup;
    this.#features = features;
    const isPowerOf2 = size > 0 && (size & (size - 1)) === 0;
    if (!isPowerOf2 || size > this.maxSize) {
      throw new VirtqueueError(`a queue of ${size} entries: a power of 2 up to ${this.maxSize} is needed`);
    }
    this.#requireArea("descriptor table", descriptorTable, 16, DESCRIPTOR_SIZE * size, false);
    this.#requireArea("available ring", availableRing, 2, 6 + 2 * size, false);
    this.#requireArea("used ring", usedRing, 4, 6 + 8 * size, true);
    this.#isReady = true;
  }

  #requireArea(name: string, address: number, alignment: number, length: number, isWritten: boolean): void {
    if (address % alignment !== 0) {
      throw new VirtqueueError(`the ${name} at ${hex(address)} is not ${alignment} byte aligned`);
    }
    if (!isRam(this.#memory, address, length, isWritten)) {
      throw new VirtqueueError(`the ${name}, ${length} bytes at ${hex(address)}, is not all in RAM`);
    }
  }
  // #endregion enable

  /** Stops using the queue; its setup and its counts stay. */
  disable(): void {
    this.#isReady = false;
  }

  /** Forgets all, as a reset of the device or of this queue does. */
  reset(): void {
    this.#setup = { size: this.maxSize, descriptorTable: 0, availableRing: 0, usedRing: 0 };
    this.#halves = noAddresses();
    this.#isReady = false;
    this.#nextAvailable = this.#nextUsed = this.#published = 0;
  }

  // #region available
  /** How many chains wait to be taken. Throws for more than the ring has room for. */
  get waiting(): number {
    const { size, availableRing } = this.#setup;
    // #region exercise-waiting
    throw new Error(
      "exercise waiting: tell how many chains wait by the difference of two counts, and take the next one from its place in the ring · chapter 7, “Take what is available”",
    );
    // #endregion exercise-waiting
  }

  /** Takes the next chain; null if there is none, or if the queue is not in use. */
  pop(): Chain | null {
    if (!this.#isReady) return null;
    const { size, availableRing } = this.#setup;
    // #region exercise-pop
    throw new Error(
      "exercise pop: tell how many chains wait by the difference of two counts, and take the next one from its place in the ring · chapter 7, “Take what is available”",
    );
    // #endregion exercise-pop
  }

  /** Puts the last `count` chains taken back, to be taken again. None of them may have been returned. */
  unpop(count: number): void {
    this.#nextAvailable = (this.#nextAvailable - count) & U16;
  }
  // #endregion available

  // #region used
  /** Writes a chain to the used ring: the device is done with it and wrote `written` bytes, in order. */
  push(chain: Chain, written: number): void {
    const { size, usedRing } = this.#setup;
    // #region exercise-push
    throw new Error(
      "exercise push: write a chain's head and the bytes written to the used ring, and later make idx tell of all that were pushed · chapter 7, “Give it back, quietly”",
    );
    // #endregion exercise-push
  }

  /** Tells the driver of all that was pushed. Returns whether it wants an interrupt for that. */
  publish(): boolean {
    const { usedRing } = this.#setup;
    // #region exercise-publish
    throw new Error(
      "exercise publish: write a chain's head and the bytes written to the used ring, and later make idx tell of all that were pushed · chapter 7, “Give it back, quietly”",
    );
    // #endregion exercise-publish
  }
  // #endregion used

  // #region notifications
  /** Whether the driver wants an interrupt for a used ring that went from `before` to `now`. */
  protected wantsInterrupt(before: number, now: number): boolean {
    const { size, availableRing } = this.#setup;
    // #region exercise-wants-interrupt
    throw new Error(
      "exercise wants-interrupt: decide by the flag or by the event index whether the driver wants an interrupt, and say at which entry you want to be notified · chapter 7, “Give it back, quietly”",
    );
    // #endregion exercise-wants-interrupt
  }

  /** With the event index: the driver shall notify when it adds the next chain, and need not before. */
  protected askToBeNotified(): void {
    const { size, usedRing } = this.#setup;
    // #region exercise-ask
    throw new Error(
      "exercise ask: decide by the flag or by the event index whether the driver wants an interrupt, and say at which entry you want to be notified · chapter 7, “Give it back, quietly”",
    );
    // #endregion exercise-ask
  }
  // #endregion notifications

  get #table() {
    const { descriptorTable: address, size: entries } = this.#setup;
    const { hasIndirectDescriptors } = this.#features;
    return { address, entries, longest: this.maxSize, hasIndirectDescriptors };
  }

  save(): VirtqueueState {
    return {
      size: this.#setup.size,
      halves: copyOf(this.#halves),
      isReady: this.#isReady,
      nextAvailable: this.#nextAvailable,
      nextUsed: this.#nextUsed,
      published: this.#published,
    };
  }

  restore(state: VirtqueueState, features: RingFeatures): void {
    this.reset();
    this.setSize(state.size);
    for (const area of AREAS) {
      this.setAddress(area, "low", state.halves[area].low);
      this.setAddress(area, "high", state.halves[area].high);
    }
    this.#features = features;
    this.#isReady = state.isReady;
    this.#nextAvailable = state.nextAvailable;
    this.#nextUsed = state.nextUsed;
    this.#published = state.published;
  }
}

// #region event-index
/**
 * Whether a count that went from `before` to `now` left `event` behind: the entry at `event` was among
 * those added. All three count modulo 2^16 (2.7.7.1).
 */
export function hasPassed(event: number, before: number, now: number): boolean {
  // #region exercise-event-index
  throw new Error(
    "exercise event-index: decide by the flag or by the event index whether the driver wants an interrupt, and say at which entry you want to be notified · chapter 7, “Give it back, quietly”",
  );
  // #endregion exercise-event-index
}
// #endregion event-index

const AREAS = ["descriptorTable", "availableRing", "usedRing"] as const;

function noAddresses(): Halves {
  const none = () => ({ low: 0, high: 0 });
  return { descriptorTable: none(), availableRing: none(), usedRing: none() };
}

function copyOf({ descriptorTable, availableRing, usedRing }: Halves): Halves {
  return {
    descriptorTable: { ...descriptorTable },
    availableRing: { ...availableRing },
    usedRing: { ...usedRing },
  };
}
