/**
 * What a network card hangs on: a user-mode network, a TAP device, a switch.
 *
 * Frames are Ethernet frames without preamble and check sequence. Work that the sender of a frame would do
 * for the wire's sake alone can be left to who delivers it, or left out where there is no wire: the sum over
 * the data, and cutting a stream into segments. That is what `Offload` tells of a frame.
 */

/** What is left to do with a frame. Offsets and sizes are bytes, offsets count from the frame's start. */
export interface Offload {
  /**
   * The Internet checksum over all from `start` on, to be put at `start + offset`, where the sum of the
   * pseudo header is already; null if the frame's sums are complete.
   */
  readonly checksum: { readonly start: number; readonly offset: number } | null;
  /** The frame is larger than a wire takes, its TCP data to be cut into segments of `size`; null if not. */
  readonly segmentation: {
    readonly protocol: "tcp4" | "tcp6";
    readonly size: number;
    /** Of all headers together, as a hint. */
    readonly headerLength: number;
    /** The TCP header has CWR set, for the first segment only. */
    readonly hasEcn: boolean;
  } | null;
}

/** Which kinds of `Offload` one side takes. */
export interface OffloadSupport {
  readonly checksum: boolean;
  /** TCP segmentation, over IPv4 and IPv6; only together with `checksum`. */
  readonly segmentation: boolean;
}

export const NO_OFFLOADS: OffloadSupport = { checksum: false, segmentation: false };

export interface NetBackend {
  /** What `send` takes; default: nothing but frames that are complete. */
  readonly offloads?: OffloadSupport;
  /** The guest sends a frame; the bytes are the backend's to keep. A network may lose it. */
  send(frame: Uint8Array, offload: Offload | null): void;
  /**
   * The card's ear, set by the card: the backend calls it with each frame for the guest. Returns false if
   * there is no room now: the frame can be given again once `roomAgain` was called, or be lost.
   */
  onFrame: ((frame: Uint8Array, offload?: Offload | null) => boolean) | null;
  /** The guest has given buffers after `onFrame` returned false. */
  roomAgain?(): void;
  /** What the guest's driver takes with `onFrame`; told when it starts, and with none when it is reset. */
  guestTakes?(offloads: OffloadSupport): void;
  /** What a save file is to keep of the network, as values that JSON has; not there: nothing. */
  save?(): unknown;
  /** Goes on from what a `save` of the same kind of network returned. */
  restore?(state: unknown): void;
}
