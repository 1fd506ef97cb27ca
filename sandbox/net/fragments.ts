/**
 * Reassembly of fragmented IPv4 datagrams, within bounds: no guest can fill the memory with halves.
 *
 * Fragments that overlap are an attack or a fault, and take their datagram with them, as RFC 5722 asks of
 * IPv6; an exact repetition is one of a network's ways and is ignored. Source: RFC 791, 3.2.
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import { quotable } from "./icmp.ts";
import type { Ipv4Packet } from "./ipv4.ts";
import { withoutRest } from "./kept-bytes.ts";

/** RFC 1122, 3.3.2, asks for 60 to 120 seconds on the Internet; here everybody is on one wire. */
const TIMEOUT = 30e9;
const MOST_DATAGRAMS = 32;
/** A datagram of 64 KiB on the smallest link of RFC 791, rounded down. */
const MOST_FRAGMENTS = 1024;

const NOTHING = new Uint8Array(0);

interface Datagram {
  readonly deadline: number;
  /** By rising offset, without overlaps. */
  readonly fragments: Ipv4Packet[];
  /** Bytes, known once the last fragment is here. */
  length: number | null;
  received: number;
}

export class FragmentReassembly {
  readonly #datagrams = new Map<string, Datagram>();

  constructor(private readonly clock: Clock) {}

  /** Datagrams that are waited for. */
  get pending(): number {
    return this.#datagrams.size;
  }

  /** Takes a fragment; returns the packet that it completes, or null. */
  add(packet: Ipv4Packet): Ipv4Packet | null {
    this.#forgetOld();
    const { source, destination, protocol, identification, fragmentOffset, payload } = packet;
    // All but the last are multiples of 8 bytes, or the next one could not say where it belongs.
    if (payload.length === 0 || (packet.moreFragments && payload.length % 8 !== 0)) return null;
    const key = `${source} ${destination} ${protocol} ${identification}`;
    const datagram = this.#datagrams.get(key) ?? this.#begin(key);
    const end = fragmentOffset + payload.length;
    const { fragments } = datagram;
    const at = fragments.findIndex(other => other.fragmentOffset >= fragmentOffset);
    const place = at < 0 ? fragments.length : at;
    const next = fragments[place];
    const before = fragments[place - 1];
    if (next?.fragmentOffset === fragmentOffset && next.payload.length === payload.length) return null;
    const overlaps =
      (next && end > next.fragmentOffset) ||
      (before && before.fragmentOffset + before.payload.length > fragmentOffset);
    const isBeyondEnd = packet.moreFragments
      ? datagram.length !== null && end >= datagram.length
      : (datagram.length !== null && datagram.length !== end) || next !== undefined;
    if (overlaps || isBeyondEnd || fragments.length === MOST_FRAGMENTS) {
      this.#datagrams.delete(key);
      return null;
    }
    // Of the headers, those of the first fragment are the datagram's.
    const bytes = fragmentOffset === 0 ? quotable(packet).bytes : NOTHING;
    fragments.splice(place, 0, { ...packet, bytes, payload: withoutRest(payload) });
    datagram.received += payload.length;
    if (!packet.moreFragments) datagram.length = end;
    if (datagram.received !== datagram.length) return null;
    this.#datagrams.delete(key);
    return join(fragments, datagram.length);
  }

  #begin(key: string): Datagram {
    if (this.#datagrams.size === MOST_DATAGRAMS) {
      const [oldest] = this.#datagrams.keys();
      this.#datagrams.delete(oldest!);
    }
    const datagram = { deadline: this.clock.now() + TIMEOUT, fragments: [], length: null, received: 0 };
    this.#datagrams.set(key, datagram);
    return datagram;
  }

  #forgetOld(): void {
    for (const [key, { deadline }] of this.#datagrams) {
      if (deadline > this.clock.now()) return;
      this.#datagrams.delete(key);
    }
  }
}

function join(fragments: readonly Ipv4Packet[], length: number): Ipv4Packet {
  const payload = new Uint8Array(length);
  for (const fragment of fragments) payload.set(fragment.payload, fragment.fragmentOffset);
  return { ...fragments[0]!, payload, moreFragments: false, fragmentOffset: 0 };
}
