/**
 * The virtio block device: a disk of 512-byte sectors over a store.
 *
 * A request is a header to read (type 4, reserved 4, sector 8), data to read or to write, and a byte for
 * the status at the very end of what is to be written.
 *
 * Configuration: 0 capacity (8, sectors), 8 size_max (4), 12 seg_max (4), 20 blk_size (4),
 * 36 max_discard_sectors (4), 40 max_discard_seg (4), 44 discard_sector_alignment (4),
 * 48 max_write_zeroes_sectors (4), 52 max_write_zeroes_seg (4), 56 write_zeroes_may_unmap (1).
 *
 * Source: VIRTIO 1.2, 5.2 "Block Device".
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Chain, VirtqueueError } from "#layers/07-virtio-net/descriptor-chain.ts";
import { readSpans, writeSpans } from "#layers/07-virtio-net/spans.ts";
import { VirtioDevice, type VirtioDeviceState } from "#layers/07-virtio-net/virtio-device.ts";
import type { BlockStore } from "./virtio-blk-store.ts";

const DEVICE_ID = 2;

const F_SIZE_MAX = 1;
const F_SEG_MAX = 2;
const F_RO = 5;
const F_BLK_SIZE = 6;
const F_FLUSH = 9;
const F_DISCARD = 13;
const F_WRITE_ZEROES = 14;

const T_IN = 0;
const T_OUT = 1;
const T_FLUSH = 4;
const T_GET_ID = 8;
const T_DISCARD = 11;
const T_WRITE_ZEROES = 13;

const S_OK = 0;
const S_IOERR = 1;
const S_UNSUPP = 2;

const SECTOR = 512;
const HEADER_SIZE = 16;
const ID_SIZE = 20;
/** A discarded or zeroed range: sector (8), sectors (4), flags (4). */
const RANGE_SIZE = 16;
const RANGE_F_UNMAP = 0b1;

const QUEUE_SIZE = 128;
/** Bounds of one request: 126 pieces (with header and status they fill the queue) of 64 KiB. */
const SIZE_MAX = 0x1_0000;
const SEG_MAX = QUEUE_SIZE - 2;
const LARGEST_REQUEST = SIZE_MAX * SEG_MAX;
/** 4 MiB at a time for discard and write zeroes. */
const RANGE_SECTORS = 0x2000;

const CONFIGURATION_SIZE = 60;

export interface VirtioBlkOptions {
  readonly memory: GuestMemory;
  /** Its size is cut to whole sectors. */
  readonly store: BlockStore;
  /** Up to 20 characters, by which the guest can tell its disks apart; default "vmexit". */
  readonly id?: string;
}

export class VirtioBlk extends VirtioDevice {
  readonly #store: BlockStore;
  readonly #id: Uint8Array;
  readonly #size: number;
  /** Why the store failed last, in its own words; null while it has not. */
  storeFailure: string | null = null;

  constructor({ memory, store, id = "vmexit" }: VirtioBlkOptions) {
    const size = store.size - (store.size % SECTOR);
    const features = [F_SIZE_MAX, F_SEG_MAX, F_BLK_SIZE, F_FLUSH];
    features.push(...(store.isReadOnly ? [F_RO] : [F_DISCARD, F_WRITE_ZEROES]));
    super({
      memory,
      deviceId: DEVICE_ID,
      features,
      queueSizes: [QUEUE_SIZE],
      configuration: configurationFor(size),
    });
    this.#store = store;
    this.#size = size;
    this.#id = Uint8Array.from({ length: ID_SIZE }, (_, at) => id.charCodeAt(at) & 0x7f);
  }

  protected override serve(index: number): void {
    const queue = this.queues[index]!;
    for (const chain of this.chains(queue)) queue.push(chain, this.#request(chain));
    this.publish(queue);
  }

  /** Carries a request out; returns how many bytes were written, the status among them. */
  #request(chain: Chain): number {
    if (chain.readableLength < HEADER_SIZE) throw new VirtqueueError("a disk request without a header");
    if (chain.writableLength === 0) throw new VirtqueueError("a disk request without room for its status");
    const room = chain.writableLength - 1;
    let status = S_IOERR;
    let written = 0;
    if (chain.readableLength - HEADER_SIZE <= LARGEST_REQUEST && room <= LARGEST_REQUEST) {
      try {
        [status, written] = this.#carryOut(chain, room);
      } catch (error) {
        // A store may fail in ways of its host; whatever it is, the guest's disk has an error.
        this.storeFailure = error instanceof Error ? error.message : String(error);
      }
    }
    writeSpans(this.memory, chain.writable, Uint8Array.of(status), room);
    return written + 1;
  }

  #carryOut(chain: Chain, room: number): [status: number, written: number] {
    const header = new DataView(readSpans(this.memory, chain.readable, HEADER_SIZE).buffer);
    const offset = SECTOR * (header.getUint32(12, true) * 0x1_0000_0000 + header.getUint32(8, true));
    switch (header.getUint32(0, true)) {
      case T_IN: {
        if (!this.#isInside(offset, room)) return [S_IOERR, 0];
        const bytes = new Uint8Array(room);
        this.#store.read(offset, bytes);
        return [S_OK, writeSpans(this.memory, chain.writable, bytes)];
      }
      case T_OUT: {
        const bytes = readSpans(this.memory, chain.readable, LARGEST_REQUEST, HEADER_SIZE);
        if (this.#store.isReadOnly || !this.#isInside(offset, bytes.length)) return [S_IOERR, 0];
        this.#store.write(offset, bytes);
        return [S_OK, 0];
      }
      case T_FLUSH:
        this.#store.flush();
        return [S_OK, 0];
      case T_GET_ID:
        return [S_OK, writeSpans(this.memory, chain.writable, this.#id.subarray(0, Math.min(room, ID_SIZE)))];
      case T_DISCARD:
      case T_WRITE_ZEROES:
        return [this.#zero(chain, header.getUint32(0, true) === T_DISCARD), 0];
      default:
        return [S_UNSUPP, 0];
    }
  }

  #isInside(offset: number, length: number): boolean {
    return length % SECTOR === 0 && offset + length <= this.#size;
  }

  /** One range, as `max_…_seg` says. What was discarded reads as zeros here: that is a value like any other. */
  #zero(chain: Chain, isDiscard: boolean): number {
    if (this.#store.isReadOnly) return S_IOERR;
    const bytes = readSpans(this.memory, chain.readable, RANGE_SIZE + 1, HEADER_SIZE);
    if (bytes.length !== RANGE_SIZE) return S_UNSUPP;
    const range = new DataView(bytes.buffer);
    const offset = SECTOR * (range.getUint32(4, true) * 0x1_0000_0000 + range.getUint32(0, true));
    const sectors = range.getUint32(8, true);
    const flags = range.getUint32(12, true);
    // Unmapping is what a discard does anyway, so only writing zeroes may ask for it (5.2.6.2).
    if (flags & ~RANGE_F_UNMAP || (isDiscard && flags)) return S_UNSUPP;
    if (sectors > RANGE_SECTORS || !this.#isInside(offset, SECTOR * sectors)) return S_IOERR;
    this.#store.write(offset, new Uint8Array(SECTOR * sectors));
    return S_OK;
  }

  save(): VirtioDeviceState {
    return this.saveDevice();
  }

  restore(state: VirtioDeviceState): void {
    this.restoreDevice(state);
  }
}

function configurationFor(size: number): Uint8Array {
  const configuration = new Uint8Array(CONFIGURATION_SIZE);
  const view = new DataView(configuration.buffer);
  const sectors = size / SECTOR;
  view.setUint32(0, sectors % 0x1_0000_0000, true);
  view.setUint32(4, Math.floor(sectors / 0x1_0000_0000), true);
  view.setUint32(8, SIZE_MAX, true);
  view.setUint32(12, SEG_MAX, true);
  view.setUint32(20, SECTOR, true);
  view.setUint32(36, RANGE_SECTORS, true);
  view.setUint32(40, 1, true);
  view.setUint32(44, 1, true);
  view.setUint32(48, RANGE_SECTORS, true);
  view.setUint32(52, 1, true);
  view.setUint8(56, 1);
  return configuration;
}
