/**
 * The virtio network card: frames as buffers of two queues, and a third queue for commands.
 *
 * Queues: 0 receives, 1 transmits, 2 takes commands. Each frame has a header before it (net-header.ts).
 *
 * Configuration: 0 mac (6), 6 status (2): bit 0 LINK_UP, 8 max_virtqueue_pairs (2), 10 mtu (2).
 *
 * Source: VIRTIO 1.2, 5.1 "Network Device".
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Chain, VirtqueueError } from "./descriptor-chain.ts";
import { type NetBackend, NO_OFFLOADS, type Offload } from "./net-backend.ts";
import {
  F_CSUM,
  F_CTRL_MAC_ADDR,
  F_CTRL_RX,
  F_CTRL_RX_EXTRA,
  F_CTRL_VLAN,
  F_CTRL_VQ,
  F_GUEST_CSUM,
  F_GUEST_ECN,
  F_GUEST_TSO4,
  F_GUEST_TSO6,
  F_HOST_ECN,
  F_HOST_TSO4,
  F_HOST_TSO6,
  F_MRG_RXBUF,
  F_MTU,
  isConsistent,
  offeredFeatures,
} from "./net-features.ts";
import { completeChecksum, makeHeader, NET_HEADER_SIZE, NUM_BUFFERS, parseHeader } from "./net-header.ts";
import { macBytes, ReceiveFilter, type ReceiveFilterState } from "./receive-filter.ts";
import { readSpans, writeSpans } from "./spans.ts";
import { VirtioDevice, type VirtioDeviceState } from "./virtio-device.ts";
import type { Virtqueue } from "./virtqueue.ts";

const DEVICE_ID = 1;

const RECEIVE = 0;
const TRANSMIT = 1;
const CONTROL = 2;

const CONFIGURATION_SIZE = 12;
const CONFIGURATION_MAC = 0;
const CONFIGURATION_STATUS = 6;
const CONFIGURATION_PAIRS = 8;
const CONFIGURATION_MTU = 10;
const LINK_UP = 0b1;

const ACK_OK = 0;
const ACK_ERROR = 1;

const ETHERNET_HEADER = 14;
const VLAN_TAG = 4;
/** The largest IP packet, in a frame. */
const LARGEST_FRAME = ETHERNET_HEADER + VLAN_TAG + 0xffff;
/** A command with tables of 1,000 addresses, well beyond what a driver sends. */
const LARGEST_COMMAND = 2 + 8 + 6 * 1000;

export interface VirtioNetOptions {
  readonly memory: GuestMemory;
  /** As in `52:54:00:12:34:56`. */
  readonly mac: string;
  readonly backend: NetBackend;
  /** The largest IP packet, in bytes, that the driver shall send and is sent; default: not told. */
  readonly mtu?: number;
  /** Entries of the receive and of the transmit queue, a power of 2; default 256. */
  readonly queueSize?: number;
}

export interface NetCounters {
  received: number;
  sent: number;
  /** Frames from the guest with a header that makes no sense. */
  badHeaders: number;
  /** Frames for the guest that found no buffer large enough. */
  tooLarge: number;
}

export interface VirtioNetState {
  device: VirtioDeviceState;
  filter: ReceiveFilterState;
  waitsForRoom: boolean;
  counters: NetCounters;
}

export class VirtioNet extends VirtioDevice {
  readonly counters: NetCounters = { received: 0, sent: 0, badHeaders: 0, tooLarge: 0 };
  readonly #mac: string;
  readonly #mtu: number | undefined;
  readonly #backend: NetBackend;
  readonly #filter: ReceiveFilter;
  #waitsForRoom = false;

  constructor({ memory, mac, backend, mtu, queueSize = 256 }: VirtioNetOptions) {
    const features = offeredFeatures(backend.offloads ?? NO_OFFLOADS, mtu !== undefined);
    const configuration = firstConfiguration(mac, mtu);
    super({ memory, deviceId: DEVICE_ID, features, queueSizes: [queueSize, queueSize, 64], configuration });
    this.#mac = mac;
    this.#mtu = mtu;
    this.#backend = backend;
    this.#filter = new ReceiveFilter(mac);
    backend.onFrame = (frame, offload) => this.receive(frame, offload ?? null);
  }

  // #region negotiation
  protected override isConsistent(has: (feature: number) => boolean): boolean {
    return isConsistent(has);
  }

  protected override started(): void {
    this.#backend.guestTakes?.({
      checksum: this.has(F_GUEST_CSUM),
      segmentation: this.#takesSegmentation,
    });
  }

  /** A backend is not told which versions of IP, nor about CWR: the driver must take all. */
  get #takesSegmentation(): boolean {
    return [F_GUEST_TSO4, F_GUEST_TSO6, F_GUEST_ECN].every(feature => this.has(feature));
  }

  protected override wasReset(): void {
    this.#filter.reset(this.#mac);
    this.setConfiguration(CONFIGURATION_MAC, macBytes(this.#mac));
    this.#waitsForRoom = false;
    this.#backend.guestTakes?.(NO_OFFLOADS);
  }
  // #endregion negotiation

  protected override serve(index: number): void {
    if (index === TRANSMIT) this.#transmit(this.queues[TRANSMIT]!);
    else if (index === CONTROL) this.#control(this.queues[CONTROL]!);
    else if (this.#waitsForRoom) {
      this.#waitsForRoom = false;
      this.#backend.roomAgain?.();
    }
  }

  // #region transmit
  #transmit(queue: Virtqueue): void {
    // #region exercise-transmit
    for (const chain of this.chains(queue)) {
      if (chain.readableLength < NET_HEADER_SIZE)
        throw new VirtqueueError("a frame to send without a header");
      const length = chain.readableLength - NET_HEADER_SIZE;
      if (length >= ETHERNET_HEADER && length <= LARGEST_FRAME) this.#send(chain, length);
      else this.counters.badHeaders++;
      queue.push(chain, 0);
    }
    this.publish(queue);
    // #endregion exercise-transmit
  }

  #send(chain: Chain, length: number): void {
    const bytes = readSpans(this.memory, chain.readable);
    const offload = parseHeader(bytes.subarray(0, NET_HEADER_SIZE), length, {
      checksum: this.has(F_CSUM),
      tcp4: this.has(F_HOST_TSO4),
      tcp6: this.has(F_HOST_TSO6),
      ecn: this.has(F_HOST_ECN),
    });
    if (offload === "bad header") this.counters.badHeaders++;
    else if (this.isLinkUp) {
      this.counters.sent++;
      this.#backend.send(bytes.slice(NET_HEADER_SIZE), offload);
    }
  }
  // #endregion transmit

  // #region receive
  /**
   * A frame comes from the network. Returns false if the driver has no room for it now; the backend hears
   * when it has. Frames that are not for this guest, or that it cannot take, are lost, and that is true.
   */
  receive(frame: Uint8Array, offload: Offload | null): boolean {
    const queue = this.queues[RECEIVE]!;
    if (!this.isLive || !queue.isReady || !this.isLinkUp || frame.length < ETHERNET_HEADER) return true;
    if (!this.passes(frame) || this.#isBeyondMtu(frame, offload)) return true;
    if (offload?.segmentation && !this.#takesSegmentation) return true;
    if (offload?.checksum && !this.has(F_GUEST_CSUM)) {
      frame = frame.slice();
      completeChecksum(frame, offload.checksum);
      offload = null;
    }
    let hasRoom = true;
    this.attempt(() => {
      hasRoom = this.#place(queue, frame, offload);
    });
    this.#waitsForRoom = !hasRoom;
    return hasRoom;
  }

  /** Whether a frame is for this guest. */
  protected passes(frame: Uint8Array): boolean {
    return this.#filter.passes(frame, this.has(F_CTRL_VLAN));
  }

  /** Puts a frame into as many buffers as it needs; returns false if there are not enough. */
  #place(queue: Virtqueue, frame: Uint8Array, offload: Offload | null): boolean {
    // #region exercise-place
    const isMerged = this.has(F_MRG_RXBUF);
    const needed = NET_HEADER_SIZE + frame.length;
    const chains: Chain[] = [];
    let room = 0;
    while (room < needed && (isMerged || chains.length === 0)) {
      const chain = queue.pop();
      if (!chain) break;
      chains.push(chain);
      room += chain.writableLength;
      if (room < NET_HEADER_SIZE || chain.writableLength === 0) {
        throw new VirtqueueError(`a receive buffer of ${chain.writableLength} bytes`);
      }
    }
    if (room < needed) {
      queue.unpop(chains.length);
      // One buffer that is too small, or a whole ring of them: waiting would not help.
      const isHopeless = isMerged ? chains.length === queue.setup.size : chains.length === 1;
      if (isHopeless) this.counters.tooLarge++;
      return isHopeless;
    }
    const bytes = new Uint8Array(needed);
    bytes.set(makeHeader(offload));
    new DataView(bytes.buffer).setUint16(NUM_BUFFERS, chains.length, true);
    bytes.set(frame, NET_HEADER_SIZE);
    let done = 0;
    for (const chain of chains) {
      const written = writeSpans(this.memory, chain.writable, bytes.subarray(done));
      queue.push(chain, written);
      done += written;
    }
    // All of a frame's buffers come back at once (5.1.6.4.1).
    this.publish(queue);
    // #endregion exercise-place
    this.counters.received++;
    return true;
  }

  #isBeyondMtu(frame: Uint8Array, offload: Offload | null): boolean {
    if (this.#mtu === undefined || !this.has(F_MTU) || offload?.segmentation) return false;
    return frame.length > ETHERNET_HEADER + VLAN_TAG + this.#mtu;
  }
  // #endregion receive

  // #region control
  /** Commands: class, number and data to read, and a byte to write: 0 if it was carried out. */
  #control(queue: Virtqueue): void {
    const features = {
      rx: this.has(F_CTRL_RX),
      rxExtra: this.has(F_CTRL_RX_EXTRA),
      macAddress: this.has(F_CTRL_MAC_ADDR),
      vlan: this.has(F_CTRL_VLAN),
    };
    for (const chain of this.chains(queue)) {
      if (chain.writableLength === 0) throw new VirtqueueError("a command without room for its answer");
      const isTooLong = chain.readableLength > LARGEST_COMMAND;
      const command = readSpans(this.memory, chain.readable, LARGEST_COMMAND);
      const isDone = this.has(F_CTRL_VQ) && !isTooLong && this.#filter.command(command, features);
      queue.push(chain, writeSpans(this.memory, chain.writable, Uint8Array.of(isDone ? ACK_OK : ACK_ERROR)));
    }
    this.setConfiguration(CONFIGURATION_MAC, macBytes(this.#filter.mac));
    this.publish(queue);
  }
  // #endregion control

  // #region link
  get isLinkUp(): boolean {
    return (this.configuration[CONFIGURATION_STATUS]! & LINK_UP) !== 0;
  }

  /** Plugs or pulls the cable. */
  setLink(isUp: boolean): void {
    this.changeConfiguration(CONFIGURATION_STATUS, Uint8Array.of(isUp ? LINK_UP : 0));
  }
  // #endregion link

  save(): VirtioNetState {
    return {
      device: this.saveDevice(),
      filter: this.#filter.save(),
      waitsForRoom: this.#waitsForRoom,
      counters: { ...this.counters },
    };
  }

  restore(state: VirtioNetState): void {
    this.restoreDevice(state.device);
    this.#filter.restore(state.filter);
    this.#waitsForRoom = state.waitsForRoom;
    Object.assign(this.counters, state.counters);
    if (this.isLive) this.started();
  }
}

function firstConfiguration(mac: string, mtu: number | undefined): Uint8Array {
  const configuration = new Uint8Array(CONFIGURATION_SIZE);
  const view = new DataView(configuration.buffer);
  configuration.set(macBytes(mac), CONFIGURATION_MAC);
  view.setUint16(CONFIGURATION_STATUS, LINK_UP, true);
  view.setUint16(CONFIGURATION_PAIRS, 1, true);
  view.setUint16(CONFIGURATION_MTU, mtu ?? 0, true);
  return configuration;
}
