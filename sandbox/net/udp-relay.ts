/**
 * UDP both ways: a guest's port is a socket of the host, and a forwarded port of the host is one of the
 * gateway's ports for each who sends to it.
 *
 * A guest's port keeps its socket whoever it sends to, and hears from those it sent to (RFC 4787:
 * endpoint-independent mapping, address-dependent filtering).
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import { type Endpoint, formatIpv4, type Ipv4 } from "./addresses.ts";
import { servFail } from "./dns.ts";
import { ExpiringMap } from "./expiring-map.ts";
import type { HostFailure, HostSockets, HostUdp } from "./host-sockets.ts";
import { type IcmpError, quotable } from "./icmp.ts";
import type { Ipv4Packet } from "./ipv4.ts";
import type { Route } from "./routes.ts";
import type { Datagram } from "./udp.ts";

/** RFC 4787, REQ-5, asks for at least two minutes. */
const LIFETIME = 240e9;
const MOST_MAPPINGS = 512;
/** Those that a guest's port may hear from. */
const MOST_PEERS = 256;

const FIRST_DYNAMIC_PORT = 49_152;
const DYNAMIC_PORTS = 16_384;

/** A port of a guest and its socket. */
interface Mapping {
  readonly socket: HostUdp;
  /** Addresses that were sent to, the oldest first. */
  readonly peers: Set<Ipv4>;
  lastPacket: Ipv4Packet | null;
  /** The last question to the name server, and which of the host's it went to. */
  query: Uint8Array | null;
  server: number;
}

/** Somebody who sends to a forwarded port, and the port of the gateway that he is to the guest. */
interface Caller {
  readonly key: string;
  readonly port: number;
  readonly peer: Endpoint;
  readonly socket: HostUdp;
}

export interface UdpRelayOptions {
  readonly clock: Clock;
  readonly host: HostSockets;
  readonly gateway: Ipv4;
  readonly send: (datagram: Datagram) => void;
  readonly tell: (error: IcmpError, packet: Ipv4Packet) => void;
}

export class UdpRelay {
  readonly #mappings: ExpiringMap<string, Mapping>;
  readonly #callers: ExpiringMap<string, Caller>;
  readonly #callersByPort = new Map<number, Caller>();
  readonly #forwards: HostUdp[] = [];
  #nextPort = 0;

  constructor(private readonly options: UdpRelayOptions) {
    const { clock } = options;
    const limits = { clock, lifetime: LIFETIME, limit: MOST_MAPPINGS };
    this.#mappings = new ExpiringMap({ ...limits, gone: ({ socket }: Mapping) => socket.close() });
    this.#callers = new ExpiringMap({
      ...limits,
      gone: ({ port }: Caller) => void this.#callersByPort.delete(port),
    });
  }

  get size(): number {
    return this.#mappings.size + this.#callers.size;
  }

  /** A datagram from a guest, and the packet it came in. */
  receive(datagram: Datagram, packet: Ipv4Packet, route: Route): void {
    switch (route.kind) {
      case "gateway": {
        const caller = this.#callersByPort.get(datagram.to.port);
        if (caller) {
          this.#callers.get(caller.key);
          caller.socket.send(datagram.data, caller.peer);
          return;
        }
        this.#relay(datagram, packet, route.address);
        return;
      }
      case "host":
        this.#relay(datagram, packet, route.address);
        return;
      case "name server":
        this.#ask(datagram);
        return;
      case "closed":
        this.options.tell("port unreachable", packet);
        return;
      case "unreachable":
        this.options.tell("host unreachable", packet);
    }
  }

  #relay({ from, to, data }: Datagram, packet: Ipv4Packet, address: Ipv4): void {
    const mapping = this.#mapping(from, to.address);
    if (!mapping) return;
    mapping.peers.delete(address);
    mapping.peers.add(address);
    if (mapping.peers.size > MOST_PEERS) mapping.peers.delete(mapping.peers.values().next().value as Ipv4);
    mapping.lastPacket = quotable(packet);
    mapping.socket.send(data, { address, port: to.port });
  }

  /** Relays a question as it is; who asks it again gets the next server's answer. */
  #ask({ from, to, data }: Datagram): void {
    const servers = this.options.host.nameServers();
    const mapping = servers.length > 0 ? this.#mapping(from, to.address, to) : null;
    if (!mapping) {
      const answer = servFail(data);
      if (answer) this.options.send({ from: to, to: from, data: answer });
      return;
    }
    const isRepeated = mapping.query !== null && isSame(mapping.query, data);
    mapping.server = isRepeated ? (mapping.server + 1) % servers.length : 0;
    mapping.query = data.slice();
    const server = servers[mapping.server]!;
    mapping.peers.clear();
    for (const { address } of servers) mapping.peers.add(address);
    mapping.socket.send(data, server);
  }

  /** The socket of a guest's port; one for all it sends to, another for the name server `asName`. */
  #mapping(guest: Endpoint, to: Ipv4, nameServer: Endpoint | null = null): Mapping | null {
    const key = `${guest.address}:${guest.port}${nameServer ? " dns" : ""}`;
    const known = this.#mappings.get(key);
    if (known) return known;
    const { host, send, tell, gateway } = this.options;
    const events = {
      received: (data: Uint8Array, from: Endpoint) => {
        if (!this.#mappings.get(key)?.peers.has(from.address)) return;
        send({ from: nameServer ?? seenFrom(from, gateway), to: guest, data });
      },
      failed: (failure: HostFailure, _to: Endpoint) => {
        const mapping = this.#mappings.get(key);
        const answer = mapping?.query ? servFail(mapping.query) : null;
        if (answer && nameServer) send({ from: nameServer, to: guest, data: answer });
        else if (mapping?.lastPacket) tell(ERRORS[failure], mapping.lastPacket);
      },
    };
    const socket = host.openUdp(null, events, () => this.#mappings.delete(key));
    const mapping = { socket, peers: new Set([to]), lastPacket: null, query: null, server: 0 };
    this.#mappings.set(key, mapping);
    return mapping;
  }

  /** Datagrams to `at` on the host reach the guest at `guest`, and its answers go back. */
  forward(at: Endpoint, guest: Endpoint, failed: (reason: string) => void): void {
    const events = {
      received: (data: Uint8Array, peer: Endpoint) => {
        const caller = this.#caller(
          socket,
          peer,
          `${this.#forwards.indexOf(socket)} ${peer.address}:${peer.port}`,
        );
        this.options.send({ from: { address: this.options.gateway, port: caller.port }, to: guest, data });
      },
      failed: () => {}, // a caller has gone; nobody waits to hear it
    };
    const socket = this.options.host.openUdp(at, events, reason =>
      failed(`the host's UDP port ${formatIpv4(at.address)}:${at.port} cannot be forwarded: ${reason}`),
    );
    this.#forwards.push(socket);
  }

  #caller(socket: HostUdp, peer: Endpoint, key: string): Caller {
    const known = this.#callers.get(key);
    if (known) return known;
    do this.#nextPort = (this.#nextPort + 1) % DYNAMIC_PORTS;
    while (this.#callersByPort.has(FIRST_DYNAMIC_PORT + this.#nextPort));
    const caller = { key, port: FIRST_DYNAMIC_PORT + this.#nextPort, peer, socket };
    this.#callers.set(key, caller);
    this.#callersByPort.set(caller.port, caller);
    return caller;
  }

  /** Closes what guests opened, as after a restore; forwarded ports stay. */
  forget(): void {
    for (const { socket } of this.#mappings.values()) socket.close();
    this.#mappings.clear();
    this.#callers.clear();
    this.#callersByPort.clear();
  }

  close(): void {
    this.forget();
    for (const socket of this.#forwards) socket.close();
    this.#forwards.length = 0;
  }
}

const ERRORS: Readonly<Record<HostFailure, IcmpError>> = {
  refused: "port unreachable",
  reset: "port unreachable",
  unreachable: "host unreachable",
  "timed out": "host unreachable",
};

/** The host's loopback is the gateway to the guest. */
function seenFrom(from: Endpoint, gateway: Ipv4): Endpoint {
  return from.address >>> 24 === 127 ? { address: gateway, port: from.port } : from;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
