/**
 * A DHCP server: gives each card an address of the subnet, from 10.0.2.15 on, and lets it keep it.
 *
 * A card is known by its Ethernet address, not by a client identifier: a kernel that asks at boot and the
 * program that asks later name themselves differently, and shall get the same address.
 *
 * Source: RFC 2131, 4.3 "DHCP server behavior".
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import { ANY, EVERYBODY, type Ipv4 } from "./addresses.ts";
import {
  ACK,
  BROADCAST_ADDRESS,
  DECLINE,
  type DhcpRequest,
  DISCOVER,
  INFORM,
  LEASE_TIME,
  MESSAGE,
  MESSAGE_TYPE,
  makeDhcp,
  NAK,
  NAME_SERVER,
  OFFER,
  option32,
  parseDhcp,
  REBINDING_TIME,
  RELEASE,
  RENEWAL_TIME,
  REQUEST_ADDRESS,
  ROUTER,
  SERVER_IDENTIFIER,
  SUBNET_MASK,
} from "./dhcp-message.ts";
import type { Datagram } from "./udp.ts";

export const DHCP_SERVER_PORT = 67;
const DHCP_CLIENT_PORT = 68;

/** Seconds. */
const LEASE = 86_400;
/** How long an offered address is kept, and one that a client found taken is not given; nanoseconds. */
const OFFER_LIFETIME = 60e9;
const DECLINED_LIFETIME = 600e9;

export interface DhcpOptions {
  readonly clock: Clock;
  readonly network: Ipv4;
  readonly mask: Ipv4;
  readonly server: Ipv4;
  readonly nameServer: Ipv4;
  readonly first: Ipv4;
  readonly last: Ipv4;
}

/** An address that is spoken for until `expires`, in nanoseconds; no card's if one declined it. */
export interface Lease {
  readonly address: Ipv4;
  readonly mac: string | null;
  readonly expires: number;
}

export interface DhcpReply extends Datagram {
  /** The Ethernet address to send it to, since the IP address may not answer yet; null: everybody. */
  readonly mac: string | null;
}

export class DhcpServer {
  readonly #leases = new Map<Ipv4, Lease>();

  constructor(private readonly options: DhcpOptions) {}

  /** Answers a client's message; null if it wants no answer. */
  answer(bytes: Uint8Array): DhcpReply | null {
    const request = parseDhcp(bytes);
    if (!request) return null;
    switch (request.type) {
      case DISCOVER:
        return this.#offer(request);
      case REQUEST_ADDRESS:
        return this.#request(request);
      case DECLINE: {
        const { requestedAddress, mac } = request;
        if (requestedAddress === null || this.#leases.get(requestedAddress)?.mac !== mac) return null;
        this.#lease(requestedAddress, null, DECLINED_LIFETIME);
        return null;
      }
      case RELEASE:
        if (this.#leases.get(request.clientAddress)?.mac === request.mac) {
          this.#leases.delete(request.clientAddress);
        }
        return null;
      case INFORM:
        return this.#reply(request, ACK, ANY, this.#configuration());
      default:
        return null;
    }
  }

  #offer(request: DhcpRequest): DhcpReply | null {
    const address = this.#choose(request);
    if (address === null) return null;
    const held = this.#leases.get(address)?.expires ?? 0;
    this.#lease(address, request.mac, Math.max(OFFER_LIFETIME, held - this.options.clock.now()));
    return this.#reply(request, OFFER, address, [...this.#configuration(), ...leaseTimes()]);
  }

  #request(request: DhcpRequest): DhcpReply | null {
    const { server, mac } = request;
    if (server !== null && server !== this.options.server) return null; // it took another server's offer
    const address = request.requestedAddress ?? request.clientAddress;
    const lease = this.#leases.get(address);
    // After a restart of ours nobody is known: a client that is sure of its address may have it.
    const isFree = !lease || lease.expires <= this.options.clock.now();
    const isTheirs = lease?.mac === mac || (isFree && server === null && this.#isInPool(address));
    if (!isTheirs) {
      const why = this.#isInPool(address) ? "the address is not yours" : "not an address of this network";
      const options = [[MESSAGE, new TextEncoder().encode(why)]] as const;
      return this.#reply({ ...request, clientAddress: ANY, wantsBroadcast: true }, NAK, ANY, options);
    }
    this.#lease(address, mac, LEASE * 1e9);
    return this.#reply(request, ACK, address, [...this.#configuration(), ...leaseTimes()]);
  }

  /** The address that the card has, or wants if it may, or the first free one (RFC 2131, 4.3.1). */
  #choose({ mac, requestedAddress }: DhcpRequest): Ipv4 | null {
    for (const lease of this.#leases.values()) if (lease.mac === mac) return lease.address;
    if (requestedAddress !== null && this.#isFree(requestedAddress)) return requestedAddress;
    for (let address = this.options.first; address <= this.options.last; address++) {
      if (this.#isFree(address)) return address;
    }
    return null;
  }

  #isInPool(address: Ipv4): boolean {
    return address >= this.options.first && address <= this.options.last;
  }

  #isFree(address: Ipv4): boolean {
    const lease = this.#leases.get(address);
    return this.#isInPool(address) && (!lease || lease.expires <= this.options.clock.now());
  }

  /** One address a card: the pool's size bounds the leases. */
  #lease(address: Ipv4, mac: string | null, nanoseconds: number): void {
    for (const lease of this.#leases.values()) {
      if (mac !== null && lease.mac === mac) this.#leases.delete(lease.address);
    }
    this.#leases.set(address, { address, mac, expires: this.options.clock.now() + nanoseconds });
  }

  #configuration(): (readonly [number, Uint8Array])[] {
    const { network, mask, server, nameServer } = this.options;
    return [
      [SUBNET_MASK, option32(mask)],
      [ROUTER, option32(server)],
      [NAME_SERVER, option32(nameServer)],
      [BROADCAST_ADDRESS, option32((network | ~mask) >>> 0)],
    ];
  }

  #reply(
    request: DhcpRequest,
    type: number,
    address: Ipv4,
    options: readonly (readonly [number, Uint8Array])[],
  ): DhcpReply {
    const identity = [
      [MESSAGE_TYPE, Uint8Array.of(type)],
      [SERVER_IDENTIFIER, option32(this.options.server)],
    ] as const;
    const data = makeDhcp(request, address, [...identity, ...options]);
    const { clientAddress, wantsBroadcast, mac } = request;
    // RFC 2131, 4.1: to the client's address if it has one, else as its broadcast flag says.
    const to = clientAddress !== ANY ? clientAddress : wantsBroadcast ? EVERYBODY : address;
    return {
      from: { address: this.options.server, port: DHCP_SERVER_PORT },
      to: { address: to, port: DHCP_CLIENT_PORT },
      data,
      mac: to === EVERYBODY ? null : mac,
    };
  }

  save(): readonly Lease[] {
    return [...this.#leases.values()];
  }

  restore(leases: readonly Lease[]): void {
    this.#leases.clear();
    for (const lease of leases) this.#leases.set(lease.address, { ...lease });
  }
}

function leaseTimes(): (readonly [number, Uint8Array])[] {
  return [
    [LEASE_TIME, option32(LEASE)],
    [RENEWAL_TIME, option32(LEASE / 2)],
    [REBINDING_TIME, option32((LEASE / 8) * 7)],
  ];
}
