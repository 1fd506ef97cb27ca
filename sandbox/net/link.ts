/**
 * The wire between the user-mode network and its guests: who has which address there (ARP, RFC 826), and
 * the frames that wait until a guest's card has room.
 */
import { NO_OFFLOADS, type Offload, type OffloadSupport } from "#layers/07-virtio-net/net-backend.ts";
import { macAt, macBytes } from "#layers/07-virtio-net/receive-filter.ts";
import { type Ipv4, read16, read32, write16, write32 } from "./addresses.ts";
import { ETHERNET_HEADER, ETHERTYPE, ETHERTYPE_ARP, fragmentIpv4 } from "./ipv4.ts";

export const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff";
const MAC_SIZE = 6;

const ARP_LENGTH = 28;
const ARP_REQUEST = 1;
const ARP_REPLY = 2;

/** Frames that may wait for room; what comes then is lost, but TCP holds back before. */
const MOST_WAITING = 256;

/** The subnet and the addresses that the network itself has in it. */
export interface Subnet {
  readonly network: Ipv4;
  readonly mask: Ipv4;
  /** Addresses of the network's own, each with its Ethernet address. */
  readonly own: ReadonlyMap<Ipv4, string>;
}

interface Waiting {
  readonly frame: Uint8Array;
  readonly offload: Offload | null;
}

export class GuestLink {
  /** The card's ear. */
  onFrame: ((frame: Uint8Array, offload?: Offload | null) => boolean) | null = null;
  support: OffloadSupport = NO_OFFLOADS;
  /** Called when frames that had to wait are gone. */
  onRoom: () => void = () => {};
  readonly mtu = 1500;
  /** Frames that were lost for want of room. */
  lost = 0;
  /** The Ethernet addresses at which addresses were seen. */
  readonly #neighbours = new Map<Ipv4, Uint8Array>();
  readonly #own: ReadonlyMap<Ipv4, Uint8Array>;
  /** The first of its own addresses. */
  readonly #gateway: readonly [address: Ipv4, mac: Uint8Array];
  /** For each address that ARP asks for, the last packet to it (RFC 1122, 2.3.2.2). */
  readonly #unresolved = new Map<Ipv4, Waiting>();
  #waiting: Waiting[] = [];
  #isDelivering = false;
  #identification = 0;

  constructor(readonly subnet: Subnet) {
    const own = Array.from(subnet.own, ([address, mac]) => [address, macBytes(mac)] as const);
    this.#own = new Map(own);
    this.#gateway = own[0]!;
  }

  /** Frames wait for room in the card: who can, sends nothing now. */
  get isBlocked(): boolean {
    return this.#waiting.length > 0;
  }

  isInSubnet(address: Ipv4): boolean {
    return (address & this.subnet.mask) >>> 0 === this.subnet.network;
  }

  /**
   * Notes which card, by the 6 bytes of its address, an address was seen at. Only addresses that a guest of
   * this subnet can have.
   */
  learn(address: Ipv4, mac: Uint8Array): void {
    const known = this.#neighbours.get(address);
    if (known && isSame(known, mac)) return;
    const host = (address & ~this.subnet.mask) >>> 0;
    const isUsable = host !== 0 && host !== ~this.subnet.mask >>> 0 && !this.#own.has(address);
    if (!this.isInSubnet(address) || !isUsable || mac[0]! & 1) return;
    this.#neighbours.set(address, mac.slice());
    const waiting = this.#unresolved.get(address);
    if (!waiting) return;
    this.#unresolved.delete(address);
    this.#address(waiting.frame, mac, address);
    this.#push(waiting.frame, waiting.offload);
  }

  // #region arp
  receiveArp(frame: Uint8Array): void {
    const at = ETHERNET_HEADER;
    // Ethernet and IPv4, with addresses of 6 and 4 bytes.
    if (
      frame.length < at + ARP_LENGTH ||
      read32(frame, at) !== 0x0001_0800 ||
      read16(frame, at + 4) !== 0x0604
    ) {
      return;
    }
    const sender = frame.subarray(at + 8, at + 8 + MAC_SIZE);
    const target = read32(frame, at + 24);
    this.learn(read32(frame, at + 14), sender);
    const own = this.#own.get(target);
    if (read16(frame, at + 6) !== ARP_REQUEST || own === undefined) return;
    this.#push(makeArp(ARP_REPLY, own, target, sender, read32(frame, at + 14)), null);
  }

  #ask(address: Ipv4): void {
    const [source, mac] = this.#gateway;
    this.#push(makeArp(ARP_REQUEST, mac, source, macBytes(BROADCAST_MAC), address), null);
  }
  // #endregion arp

  /** Sends a packet, a frame of `makeIpv4`, to the guest that it is for, in fragments if it must be. */
  send(frame: Uint8Array, offload: Offload | null = null): void {
    const destination = read32(frame, ETHERNET_HEADER + 16);
    if (offload?.segmentation || frame.length <= ETHERNET_HEADER + this.mtu) {
      this.#sendOne(frame, destination, offload);
      return;
    }
    this.#identification = (this.#identification + 1) & 0xffff;
    for (const fragment of fragmentIpv4(frame, this.mtu, this.#identification)) {
      this.#sendOne(fragment, destination, null);
    }
  }

  /** Sends a packet to an Ethernet address, whatever IP address it is for. */
  sendTo(mac: string, frame: Uint8Array): void {
    this.#address(frame, macBytes(mac), read32(frame, ETHERNET_HEADER + 12));
    this.#push(frame, null);
  }

  #sendOne(frame: Uint8Array, destination: Ipv4, offload: Offload | null): void {
    const mac = this.#neighbours.get(destination);
    if (mac !== undefined) {
      this.#address(frame, mac, read32(frame, ETHERNET_HEADER + 12));
      this.#push(frame, offload);
    } else if (this.isInSubnet(destination)) {
      this.#unresolved.set(destination, { frame, offload });
      this.#ask(destination);
    }
  }

  /** Whatever does not come from an address of the network's own comes through the gateway, the first. */
  #address(frame: Uint8Array, mac: Uint8Array, source: Ipv4): void {
    frame.set(mac, 0);
    frame.set(this.#own.get(source) ?? this.#gateway[1], MAC_SIZE);
  }

  // #region deliver
  #push(frame: Uint8Array, offload: Offload | null): void {
    if (!this.onFrame) return;
    if (this.#waiting.length >= MOST_WAITING) {
      this.lost++;
      return;
    }
    this.#waiting.push({ frame, offload });
    if (this.#waiting.length === 1) this.#deliver();
  }

  /** Gives the card what waits, in order, never a frame inside the delivery of another. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      let first = this.#waiting[0];
      while (first && this.onFrame?.(first.frame, first.offload)) {
        this.#waiting.shift();
        first = this.#waiting[0];
      }
    } finally {
      this.#isDelivering = false;
    }
  }

  roomAgain(): void {
    this.#deliver();
    if (!this.isBlocked) this.onRoom();
  }

  /** The guest's driver began anew: what waited was for another. */
  forgetWaiting(): void {
    if (!this.#isDelivering) this.#waiting = [];
  }
  // #endregion deliver

  save(): readonly (readonly [Ipv4, string])[] {
    return Array.from(this.#neighbours, ([address, mac]) => [address, macAt(mac, 0)] as const);
  }

  restore(neighbours: readonly (readonly [Ipv4, string])[]): void {
    this.#neighbours.clear();
    for (const [address, mac] of neighbours) this.#neighbours.set(address, macBytes(mac));
    this.#unresolved.clear();
    this.#waiting = [];
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, at) => byte === other[at]);
}

function makeArp(
  operation: number,
  senderMac: Uint8Array,
  sender: Ipv4,
  targetMac: Uint8Array,
  target: Ipv4,
): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER + ARP_LENGTH);
  frame.set(targetMac, 0);
  frame.set(senderMac, MAC_SIZE);
  write16(frame, ETHERTYPE, ETHERTYPE_ARP);
  const at = ETHERNET_HEADER;
  write32(frame, at, 0x0001_0800);
  write16(frame, at + 4, 0x0604);
  write16(frame, at + 6, operation);
  frame.set(senderMac, at + 8);
  write32(frame, at + 14, sender);
  if (operation === ARP_REPLY) frame.set(targetMac, at + 18);
  write32(frame, at + 24, target);
  return frame;
}
