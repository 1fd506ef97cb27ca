/** Records what passes between a card and its network, as it would be on a wire, in guest time. */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import type { NetBackend, Offload, OffloadSupport } from "#layers/07-virtio-net/net-backend.ts";
import { framesOnWire } from "./on-wire.ts";
import { type Direction, fileHeader, packetBlock } from "./pcapng.ts";

export interface CaptureOptions {
  readonly backend: NetBackend;
  readonly clock: Clock;
  /** Takes whole blocks of a pcapng file. */
  readonly sink: (bytes: Uint8Array) => void;
  readonly interfaceName?: string;
  /** Sees each frame as well; its bytes are the caller's again when the call ends. */
  readonly seen?: (frame: Uint8Array, direction: Direction) => void;
}

export class Capture implements NetBackend {
  onFrame: NetBackend["onFrame"] = null;
  readonly #options: CaptureOptions;
  /** The frame that the card had no room for. */
  #refused: Uint8Array | null = null;

  constructor(options: CaptureOptions) {
    this.#options = options;
    options.sink(fileHeader(options.interfaceName ?? "virtio-net"));
    options.backend.onFrame = (frame, offload = null) => {
      // Before it is delivered, so that an answer comes after it; once, though it may be given again.
      if (frame !== this.#refused) this.#record(frame, offload, "to guest");
      const isTaken = this.onFrame?.(frame, offload) ?? true;
      this.#refused = isTaken ? null : frame;
      return isTaken;
    };
  }

  get offloads(): OffloadSupport {
    return this.#options.backend.offloads ?? { checksum: false, segmentation: false };
  }

  send(frame: Uint8Array, offload: Offload | null): void {
    this.#record(frame, offload, "from guest");
    this.#options.backend.send(frame, offload);
  }

  roomAgain(): void {
    this.#options.backend.roomAgain?.();
  }

  guestTakes(offloads: OffloadSupport): void {
    this.#options.backend.guestTakes?.(offloads);
  }

  save(): unknown {
    return this.#options.backend.save?.() ?? null;
  }

  restore(state: unknown): void {
    this.#options.backend.restore?.(state);
  }

  #record(frame: Uint8Array, offload: Offload | null, direction: Direction): void {
    const { clock, sink, seen } = this.#options;
    for (const wired of framesOnWire(frame, offload)) {
      sink(packetBlock(wired, clock.now(), direction));
      seen?.(wired, direction);
    }
  }
}
