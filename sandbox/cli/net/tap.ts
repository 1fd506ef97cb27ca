/**
 * A TAP device of Linux as a network: the host's own kernel is at the other end of the wire.
 *
 * Frames carry the header of the virtio card itself (IFF_VNET_HDR), so sums and segmentation are left to
 * the kernel, and to the guest, as far as both take them. Waiting for frames is a `poll` on a thread of
 * libuv's, so it never blocks the event loop; reading and writing never wait.
 *
 * Source: Documentation/networking/tuntap.rst and include/uapi/linux/if_tun.h of Linux.
 */
import { constants } from "node:os";
import type { NetBackend, Offload, OffloadSupport } from "#layers/07-virtio-net/net-backend.ts";
import { makeHeader, NET_HEADER_SIZE, parseHeader } from "#layers/07-virtio-net/net-header.ts";
import { loadTapCalls, type TapCalls } from "./tap-calls.ts";

const DEVICE = "/dev/net/tun";
const O_RDWR_NONBLOCK_CLOEXEC = 0o2_004_002;

const TUNSETIFF = 0x4004_54ca;
const TUNSETOFFLOAD = 0x4004_54d0;
const TUNSETVNETHDRSZ = 0x4004_54d8;

const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;

const TUN_F_CSUM = 0b0001;
const TUN_F_TSO4 = 0b0010;
const TUN_F_TSO6 = 0b0100;
const TUN_F_TSO_ECN = 0b1000;

const INTERFACE_REQUEST_SIZE = 40;
const INTERFACE_NAME_SIZE = 16;

/** `poll` returns after so long without a frame, to see whether the device was closed. */
const POLL_MILLISECONDS = 200;
/** Frames of one turn, so that the guest and its timers get theirs. */
const MOST_IN_A_TURN = 64;
const LARGEST_FRAME = NET_HEADER_SIZE + 14 + 4 + 0xffff;

/** The kernel leaves undone only what TUNSETOFFLOAD allows it, which is what the guest takes. */
const FROM_KERNEL = { checksum: true, tcp4: true, tcp6: true, ecn: true };

export class TapError extends Error {
  override readonly name = "TapError";
}

export interface TapOptions {
  /** The device, as in `tap0`; default: one that the kernel names. */
  readonly name?: string;
  /** Called after frames came: a guest that sleeps has to wake. */
  readonly heard?: () => void;
  readonly complain?: (sentence: string) => void;
}

export class Tap implements NetBackend {
  readonly offloads: OffloadSupport = { checksum: true, segmentation: true };
  onFrame: NetBackend["onFrame"] = null;
  readonly name: string;
  /** Frames of the guest that the kernel did not take. */
  lost = 0;
  readonly #calls: TapCalls;
  readonly #descriptor: number;
  readonly #options: TapOptions;
  readonly #buffer = new Uint8Array(LARGEST_FRAME);
  /** A frame that the card had no room for; meanwhile the kernel keeps the others. */
  #held: { readonly frame: Uint8Array; readonly offload: Offload | null } | null = null;
  #isPolling = false;
  #isClosed = false;

  /** Opens a device; throws a `TapError` with a sentence that says what to do. */
  constructor(options: TapOptions = {}) {
    const { name = "" } = options;
    if (new TextEncoder().encode(name).length >= INTERFACE_NAME_SIZE || /[\s/]/.test(name)) {
      throw new TapError(`${name} cannot name a network device: at most 15 bytes, no spaces or slashes`);
    }
    this.#options = options;
    this.#calls = loadTapCalls();
    const shown = name || "vmexit0";
    const opened = this.#calls.open(DEVICE, O_RDWR_NONBLOCK_CLOEXEC);
    if (opened < 0) throw new TapError(whyNotOpened(this.#calls.errno(), shown));
    this.#descriptor = opened;
    const request = new Uint8Array(INTERFACE_REQUEST_SIZE);
    request.set(new TextEncoder().encode(name));
    const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    new DataView(request.buffer).setUint16(INTERFACE_NAME_SIZE, flags, true);
    if (this.#calls.ioctlBytes(opened, TUNSETIFF, request) < 0) {
      const sentence = whyNotAttached(this.#calls.errno(), shown);
      this.#calls.close(opened);
      throw new TapError(sentence);
    }
    const size = new Uint8Array(Uint32Array.of(NET_HEADER_SIZE).buffer);
    this.#calls.ioctlBytes(opened, TUNSETVNETHDRSZ, size);
    this.#calls.ioctl(opened, TUNSETOFFLOAD, 0);
    this.name = new TextDecoder("latin1").decode(request.subarray(0, request.indexOf(0)));
    this.#poll();
  }

  send(frame: Uint8Array, offload: Offload | null): void {
    if (this.#isClosed) return;
    const bytes = new Uint8Array(NET_HEADER_SIZE + frame.length);
    bytes.set(makeHeader(offload));
    bytes.set(frame, NET_HEADER_SIZE);
    if (this.#calls.write(this.#descriptor, bytes, bytes.length) < 0) this.lost++;
  }

  guestTakes(offloads: OffloadSupport): void {
    if (this.#isClosed) return;
    const checksum = offloads.checksum ? TUN_F_CSUM : 0;
    const segmentation = checksum && offloads.segmentation ? TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0;
    this.#held = null;
    this.#calls.ioctl(this.#descriptor, TUNSETOFFLOAD, checksum | segmentation);
    this.#poll();
  }

  roomAgain(): void {
    const held = this.#held;
    if (!held || this.onFrame?.(held.frame, held.offload) === false) return;
    this.#held = null;
    this.#poll();
  }

  close(): void {
    this.#isClosed = true;
    if (!this.#isPolling) this.#calls.close(this.#descriptor);
  }

  #poll(): void {
    if (this.#isPolling || this.#held || this.#isClosed) return;
    this.#isPolling = true;
    this.#calls.pollReadable(this.#descriptor, POLL_MILLISECONDS, isReadable => {
      this.#isPolling = false;
      if (this.#isClosed) this.#calls.close(this.#descriptor);
      else if (isReadable) this.#read();
      this.#poll();
    });
  }

  #read(): void {
    for (let count = 0; count < MOST_IN_A_TURN && !this.#held; count++) {
      const length = this.#calls.read(this.#descriptor, this.#buffer, this.#buffer.length);
      if (length < NET_HEADER_SIZE) break;
      const frame = this.#buffer.slice(NET_HEADER_SIZE, length);
      const offload = parseHeader(this.#buffer.subarray(0, NET_HEADER_SIZE), frame.length, FROM_KERNEL);
      if (offload === "bad header") this.lost++;
      else if (this.onFrame?.(frame, offload) === false) this.#held = { frame, offload };
    }
    this.#options.heard?.();
  }
}

function whyNotOpened(errno: number, name: string): string {
  if (errno === constants.errno.ENOENT || errno === constants.errno.ENODEV) {
    return `there is no ${DEVICE}: this kernel has no TAP devices; load them with \`modprobe tun\`, or use --net user`;
  }
  if (errno === constants.errno.EACCES || errno === constants.errno.EPERM)
    return remedy(`open ${DEVICE}`, name);
  return `${DEVICE} cannot be opened (error ${errno})`;
}

function whyNotAttached(errno: number, name: string): string {
  if (errno === constants.errno.EBUSY) return `the TAP device ${name} is in use by another program`;
  if (errno === constants.errno.EINVAL) {
    return `${name} is no TAP device that can be used: it is of another kind, or has several queues`;
  }
  if (errno === constants.errno.EPERM || errno === constants.errno.EACCES) return remedy(`use ${name}`, name);
  return `the TAP device ${name} cannot be used (error ${errno})`;
}

function remedy(what: string, name: string): string {
  return (
    `you may not ${what}: let an administrator make the device once, ` +
    `\`ip tuntap add dev ${name} mode tap user $USER && ip link set ${name} up\`, and give its name`
  );
}
