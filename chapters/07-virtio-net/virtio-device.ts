// Starter: write the exercises here; `npm run chapter 7` runs them, `npm run chapter 7 test` tests them.
// Generated from solutions/07-virtio-net/virtio-device.ts by `npm run starters` (bd6d7176).
/**
 * What every virtio device has, whatever it does and however the driver reaches it: a status that driver
 * and device go through together, features that they agree on, virtqueues, a configuration space and the
 * reasons for its interrupt.
 *
 * A kind of device (network, disk, …) extends this class; a transport (virtio-mmio, virtio-pci) shows it to
 * the guest as registers.
 *
 * Source: VIRTIO 1.2, 2.1 "Device Status Field", 2.2 "Feature Bits", 2.5 "Device Configuration Space".
 */
import type { IrqLine } from "#layers/01-minimal-vm/bus.ts";
import { type GuestMemory, GuestMemoryError } from "#layers/01-minimal-vm/memory.ts";
import { VirtqueueError } from "./descriptor-chain.ts";
import { Virtqueue, type VirtqueueState } from "./virtqueue.ts";

export const STATUS_ACKNOWLEDGE = 0b0000_0001;
export const STATUS_DRIVER = 0b0000_0010;
export const STATUS_DRIVER_OK = 0b0000_0100;
export const STATUS_FEATURES_OK = 0b0000_1000;
export const STATUS_DEVICE_NEEDS_RESET = 0b0100_0000;
export const STATUS_FAILED = 0b1000_0000;

/** The bits that a driver sets. */
const DRIVER_BITS =
  STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK | STATUS_FEATURES_OK | STATUS_FAILED;

/** Why the device interrupts. */
export const INTERRUPT_USED_BUFFER = 0b01;
export const INTERRUPT_CONFIGURATION = 0b10;

/** Numbers of the feature bits that all kinds of device share (chapter 6). */
export const F_INDIRECT_DESC = 28;
export const F_EVENT_IDX = 29;
export const F_VERSION_1 = 32;
export const F_RING_RESET = 40;

const COMMON_FEATURES = [F_INDIRECT_DESC, F_EVENT_IDX, F_VERSION_1, F_RING_RESET];

export interface VirtioDeviceOptions {
  readonly memory: GuestMemory;
  /** Virtio device ID (chapter 5): 1 network, 2 block, 4 entropy. */
  readonly deviceId: number;
  /** Numbers of the feature bits that this kind of device offers, beside the common ones. */
  readonly features: readonly number[];
  /** The most entries of each virtqueue. */
  readonly queueSizes: readonly number[];
  /** The configuration space, which the device may change. */
  readonly configuration: Uint8Array;
}

export interface VirtioDeviceState {
  status: number;
  /** Bits 0 to 31 and 32 to 63. */
  driverFeatures: [number, number];
  interruptStatus: number;
  configurationGeneration: number;
  configuration: number[];
  queues: VirtqueueState[];
}

export abstract class VirtioDevice {
  readonly deviceId: number;
  readonly queues: readonly Virtqueue[];
  /** Why the device gave up, in a sentence; null while it has not. */
  failure: string | null = null;
  protected readonly memory: GuestMemory;
  protected readonly configuration: Uint8Array;
  readonly #offered: readonly [number, number];
  #driverFeatures: [number, number] = [0, 0];
  #status = 0;
  #interruptStatus = 0;
  #configurationGeneration = 0;
  #irq: IrqLine = { raise() {}, lower() {} };

  constructor({ memory, deviceId, features, queueSizes, configuration }: VirtioDeviceOptions) {
    this.memory = memory;
    this.deviceId = deviceId;
    this.configuration = configuration;
    this.#offered = featureWords([...COMMON_FEATURES, ...features]);
    this.queues = queueSizes.map(size => new Virtqueue(memory, size));
  }

  /** The transport's line to the interrupt controller: high while `interruptStatus` is not 0. */
  connect(irq: IrqLine): void {
    this.#irq = irq;
  }

  /** The driver has added buffers to queue `index`. Called only while the device is live. */
  protected abstract serve(index: number): void;
  /** Whether the features go together that the driver chose; `has` tells whether it chose one. */
  protected isConsistent(_has: (feature: number) => boolean): boolean {
    return true;
  }
  /** The driver has set DRIVER_OK. */
  protected started(): void {}
  /** The device was reset. */
  protected wasReset(): void {}
  /** The driver wrote `size` bytes at `offset` of the configuration space; mostly that means nothing. */
  writeConfiguration(_offset: number, _size: 1 | 2 | 4, _value: number): void {}

  // #region features
  /** The offered features, bits 0 to 31 (`select` 0) or 32 to 63 (`select` 1). */
  offeredFeatures(select: number): number {
    return this.#offered[select] ?? 0;
  }

  driverFeatures(select: number): number {
    return this.#driverFeatures[select] ?? 0;
  }

  /** The driver chooses features. Once it has set FEATURES_OK it cannot change its mind. */
  chooseFeatures(select: number, bits: number): void {
    if (select < 2 && !(this.#status & STATUS_FEATURES_OK)) this.#driverFeatures[select] = bits >>> 0;
  }

  /** Whether a feature was negotiated. */
  protected has(feature: number): boolean {
    return ((this.#driverFeatures[feature >> 5]! >>> (feature & 31)) & 1) === 1;
  }

  /** Whether the device can work with what the driver chose (2.2.2, 6.2). */
  get acceptsFeatures(): boolean {
    // #region exercise-features
    throw new Error(
      "exercise features: accept what the driver chose only if all of it was offered, VERSION_1 is among it, and the device finds it consistent · chapter 7, “Agree before you start”",
    );
    // #endregion exercise-features
  }
  // #endregion features

  // #region status
  get status(): number {
    return this.#status;
  }

  /** Whether driver and device may exchange buffers. */
  get isLive(): boolean {
    // #region exercise-live
    throw new Error(
      "exercise live: take what the driver writes to the status: 0 resets, else bits are added as far as the device agrees; and tell when buffers may be exchanged · chapter 7, “Agree before you start”",
    );
    // #endregion exercise-live
  }

  /** The driver writes the status: 0 resets, else bits are added, as far as the device agrees. */
  writeStatus(value: number): void {
    // #region exercise-status
    throw new Error(
      "exercise status: take what the driver writes to the status: 0 resets, else bits are added as far as the device agrees; and tell when buffers may be exchanged · chapter 7, “Agree before you start”",
    );
    // #endregion exercise-status
  }

  reset(): void {
    this.#status = 0;
    this.#driverFeatures = [0, 0];
    this.failure = null;
    for (const queue of this.queues) queue.reset();
    this.acknowledgeInterrupt(INTERRUPT_USED_BUFFER | INTERRUPT_CONFIGURATION);
    this.wasReset();
  }

  /** The driver broke a rule from which there is no way back but a reset (2.1.2). */
  protected giveUp(why: string): void {
    this.failure ??= why;
    // #region exercise-give-up
    throw new Error(
      "exercise give-up: keep the line high while any reason stands, lower it with the last; and set NEEDS_RESET once, telling a driver that works · chapter 7, “A device in memory”",
    );
    // #endregion exercise-give-up
  }

  /** Does something with rings or buffers; if the driver broke a rule there, gives up. */
  protected attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof VirtqueueError || error instanceof GuestMemoryError)) throw error;
      this.giveUp(error.message);
    }
  }
  // #endregion status

  // #region queues
  /** The driver says that queue `index` is set up. */
  enableQueue(index: number): void {
    const queue = this.queues[index];
    if (queue && !queue.isReady) this.attempt(() => queue.enable(this.#ringFeatures));
  }

  /** The driver has added buffers to queue `index`. */
  notify(index: number): void {
    if (this.isLive && this.queues[index]?.isReady) this.attempt(() => this.serve(index));
  }

  /** VIRTIO_F_RING_RESET: resets one queue. */
  resetQueue(index: number): void {
    if (this.has(F_RING_RESET)) this.queues[index]?.reset();
  }

  /**
   * Takes the chains of a queue, one by one, until none is left. The guest stands still meanwhile, so one
   * that brings more than two rings full has its rings overwritten by its own buffers.
   */
  protected *chains(queue: Virtqueue) {
    for (let left = 2 * queue.maxSize; left > 0; left--) {
      if (!this.isLive) return; // gave up over another queue meanwhile
      const chain = queue.pop();
      if (!chain) return;
      yield chain;
    }
    throw new VirtqueueError("the available ring is refilled while it is served");
  }

  /** Tells the driver of what was pushed to a queue, by an interrupt if it wants one. */
  protected publish(queue: Virtqueue): void {
    if (this.isLive && queue.publish()) this.#interrupt(INTERRUPT_USED_BUFFER);
  }

  get #ringFeatures() {
    return { hasIndirectDescriptors: this.has(F_INDIRECT_DESC), hasEventIndex: this.has(F_EVENT_IDX) };
  }
  // #endregion queues

  // #region interrupts
  get interruptStatus(): number {
    return this.#interruptStatus;
  }

  acknowledgeInterrupt(causes: number): void {
    if (this.#interruptStatus === 0) return;
    // #region exercise-interrupt
    throw new Error(
      "exercise interrupt: keep the line high while any reason stands, lower it with the last; and set NEEDS_RESET once, telling a driver that works · chapter 7, “A device in memory”",
    );
    // #endregion exercise-interrupt
  }

  #interrupt(cause: number): void {
    // #region exercise-interrupt
    throw new Error(
      "exercise interrupt: keep the line high while any reason stands, lower it with the last; and set NEEDS_RESET once, telling a driver that works · chapter 7, “A device in memory”",
    );
    // #endregion exercise-interrupt
  }
  // #endregion interrupts

  // #region configuration
  /** Counts the changes of the configuration space, so that a driver can tell a torn read. */
  get configurationGeneration(): number {
    return this.#configurationGeneration;
  }

  /** Little endian; beyond the end there is 0. */
  readConfiguration(offset: number, size: 1 | 2 | 4): number {
    let value = 0;
    for (let byte = size - 1; byte >= 0; byte--) {
      value = value * 0x100 + (this.configuration[offset + byte] ?? 0);
    }
    return value;
  }

  /** Puts bytes into the configuration; if they are new, the generation is too (2.5.1). */
  protected setConfiguration(offset: number, bytes: Uint8Array): void {
    if (bytes.every((byte, at) => byte === this.configuration[offset + at])) return;
    this.configuration.set(bytes, offset);
    this.#configurationGeneration = (this.#configurationGeneration + 1) & 0xff;
  }

  /** As `setConfiguration`, for what the driver cannot know: if it is live, it is told. */
  protected changeConfiguration(offset: number, bytes: Uint8Array): void {
    const before = this.#configurationGeneration;
    this.setConfiguration(offset, bytes);
    if (this.isLive && this.#configurationGeneration !== before) this.#interrupt(INTERRUPT_CONFIGURATION);
  }
  // #endregion configuration

  saveDevice(): VirtioDeviceState {
    return {
      status: this.#status,
      driverFeatures: [...this.#driverFeatures],
      interruptStatus: this.#interruptStatus,
      configurationGeneration: this.#configurationGeneration,
      configuration: [...this.configuration],
      queues: this.queues.map(queue => queue.save()),
    };
  }

  /** The interrupt line has no edge: whoever listens is restored as well. */
  restoreDevice(state: VirtioDeviceState): void {
    this.#status = state.status;
    this.#driverFeatures = [...state.driverFeatures];
    this.#interruptStatus = state.interruptStatus;
    this.#configurationGeneration = state.configurationGeneration;
    this.configuration.set(state.configuration);
    this.failure = null;
    this.queues.forEach((queue, index) => {
      queue.restore(state.queues[index]!, this.#ringFeatures);
    });
  }
}

/** Feature bits by their numbers, as two words of 32 bits. */
function featureWords(features: readonly number[]): [number, number] {
  const words: [number, number] = [0, 0];
  for (const feature of features) words[feature >> 5 === 0 ? 0 : 1] |= 1 << (feature & 31);
  return [words[0] >>> 0, words[1] >>> 0];
}
