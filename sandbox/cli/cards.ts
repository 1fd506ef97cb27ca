/** The machine's cards, as the command line asks for them: disks, the network, entropy. */
import { webcrypto } from "node:crypto";
import type { CardOptions } from "../machine/cards.ts";
import type { SipKey } from "../net/half-sip-hash.ts";
import { openDisks } from "./disks.ts";
import type { GuestPlan } from "./guest-plan.ts";
import { type OpenNetwork, openNetwork } from "./net/open-network.ts";
import type { Options } from "./options.ts";

/** In QEMU's range of locally administered addresses. */
const MAC = "52:54:00:12:34:56";

/** `getRandomValues` gives no more at once (Web Cryptography API, 10.1.1). */
const MOST_RANDOM_BYTES = 65_536;

export interface HostCards {
  readonly options: CardOptions;
  /** For the status line; the network is there once the machine is. */
  describe(): readonly string[];
  close(): void;
}

export interface CardEvents {
  /** Something came from outside. */
  readonly heard: () => void;
  /** What does not work but stops nothing. */
  readonly complain: (sentence: string) => void;
}

/**
 * Opens the disks at once, and the network on the machine's clock, when the machine is assembled. Throws
 * a `BlockStoreError`; assembling may throw a `TapError` or a `CaptureFileError`.
 */
export function openCards(options: Options, plan: GuestPlan, events: CardEvents): HostCards {
  const { kind, forwards, capture } = options.network;
  // What is to be the same each time has no use for it.
  const isRandom = !options.isVirtualTime;
  const disks = openDisks(options.disks);
  let network: OpenNetwork | null = null;
  const connect: NonNullable<CardOptions["network"]>["backend"] = clock => {
    network = openNetwork({
      kind,
      forwards,
      clock,
      ...events,
      ...(capture !== undefined && { capture }),
      ...(isRandom && { secret: randomKey() }),
    });
    return network.backend!;
  };
  return {
    options: {
      disks: disks.stores,
      ...(kind !== "none" &&
        plan.transport && { network: { backend: connect, mac: MAC, transport: plan.transport } }),
      ...(isRandom && { entropy: fillRandomly }),
    },
    describe: () => [
      network?.description ?? "no network",
      ...options.disks.map(({ path, mode }) => `${path} (${mode})`),
    ],
    close() {
      network?.close();
      disks.close();
    },
  };
}

function randomKey(): SipKey {
  const [low = 0, high = 0] = webcrypto.getRandomValues(new Uint32Array(2));
  return [low, high];
}

function fillRandomly(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += MOST_RANDOM_BYTES) {
    webcrypto.getRandomValues(bytes.subarray(at, at + MOST_RANDOM_BYTES));
  }
}
