/**
 * A switch between machines of one process: learns which port a card is at, and floods what it does not
 * know (IEEE 802.1Q, 8.7 and 8.8).
 *
 * A frame is delivered by a turn of its own, never inside the call that sent it, and waits in its port's
 * bounded queue while the card there has no room. What is left to do with a frame goes along to who takes
 * it, and is done for who does not.
 */
import {
  type NetBackend,
  NO_OFFLOADS,
  type Offload,
  type OffloadSupport,
} from "#layers/07-virtio-net/net-backend.ts";
import { macAt } from "#layers/07-virtio-net/receive-filter.ts";
import { framesOnWire, takesAsIs } from "./on-wire.ts";

/** Frames that may wait at a port; what comes then is lost. */
const MOST_WAITING = 512;
/** Cards that are known; the one that was silent the longest is forgotten for a new one. */
const MOST_CARDS = 4096;

const ETHERNET_HEADER = 14;

interface Waiting {
  readonly frame: Uint8Array;
  readonly offload: Offload | null;
}

export class Switch {
  readonly #ports: SwitchPort[] = [];
  readonly #cards = new Map<string, SwitchPort>();
  #isPlanned = false;

  /** `later` plans a call, as `setImmediate`; the machine that a frame reaches may have to be woken. */
  constructor(private readonly later: (callback: () => void) => void) {}

  /** A new port; `woken` is called after it delivered frames. */
  plug(woken: () => void = () => {}): NetBackend & { unplug(): void; readonly lost: number } {
    const port = new SwitchPort(this, woken);
    this.#ports.push(port);
    return port;
  }

  forward(from: SwitchPort, frame: Uint8Array, offload: Offload | null): void {
    if (frame.length < ETHERNET_HEADER) return;
    const isGroup = (byte: number) => (byte & 1) !== 0;
    if (isGroup(frame[6]!)) return; // nobody's address
    const sender = macAt(frame, 6);
    this.#cards.delete(sender);
    this.#cards.set(sender, from);
    if (this.#cards.size > MOST_CARDS) this.#cards.delete(this.#cards.keys().next().value as string);
    const known = isGroup(frame[0]!) ? undefined : this.#cards.get(macAt(frame, 0));
    for (const port of known ? [known] : this.#ports) if (port !== from) port.enqueue(frame, offload);
    this.#plan();
  }

  remove(port: SwitchPort): void {
    this.#ports.splice(this.#ports.indexOf(port), 1);
    for (const [card, at] of this.#cards) if (at === port) this.#cards.delete(card);
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.later(() => {
      this.#isPlanned = false;
      for (const port of [...this.#ports]) port.deliver();
    });
  }
}

class SwitchPort implements NetBackend {
  readonly offloads: OffloadSupport = { checksum: true, segmentation: true };
  onFrame: NetBackend["onFrame"] = null;
  lost = 0;
  #takes = NO_OFFLOADS;
  #waiting: Waiting[] = [];
  #isDelivering = false;
  #isPlugged = true;

  constructor(
    private readonly owner: Switch,
    private readonly woken: () => void,
  ) {}

  send(frame: Uint8Array, offload: Offload | null): void {
    if (this.#isPlugged) this.owner.forward(this, frame, offload);
  }

  enqueue(frame: Uint8Array, offload: Offload | null): void {
    const asIs = takesAsIs(offload, this.#takes);
    // A copy each: what one card's owner does with a flooded frame is not the others' concern.
    for (const waiting of asIs ? [frame.slice()] : framesOnWire(frame, offload)) {
      if (this.#waiting.length < MOST_WAITING)
        this.#waiting.push({ frame: waiting, offload: asIs ? offload : null });
      else this.lost++;
    }
  }

  deliver(): void {
    if (this.#isDelivering || this.#waiting.length === 0) return;
    this.#isDelivering = true;
    try {
      for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
        if (this.onFrame && !this.onFrame(first.frame, first.offload)) break;
        this.#waiting.shift();
      }
    } finally {
      this.#isDelivering = false;
    }
    this.woken();
  }

  roomAgain(): void {
    this.deliver();
  }

  guestTakes(offloads: OffloadSupport): void {
    this.#takes = offloads;
    this.#waiting = [];
  }

  unplug(): void {
    this.#isPlugged = false;
    this.#waiting = [];
    this.owner.remove(this);
  }
}
