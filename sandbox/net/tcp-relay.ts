/**
 * TCP both ways: each connection of a guest is one to it and one of the host's, with bytes carried between
 * them as fast as the slower side takes them.
 *
 * A connection is answered once the host's is there, so that the guest sees a refusal as a refusal. After
 * a restore the host's sockets are gone, and the connections they belonged to are reset.
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import { type Endpoint, formatIpv4, type Ipv4 } from "./addresses.ts";
import { halfSipHash, type SipKey } from "./half-sip-hash.ts";
import type { HostListener, HostSockets, HostTcp, HostTcpEvents } from "./host-sockets.ts";
import { type IcmpError, quotable } from "./icmp.ts";
import { IPV4_HEADER, type Ipv4Packet } from "./ipv4.ts";
import type { GuestLink } from "./link.ts";
import type { Route } from "./routes.ts";
import type { TcpConnection } from "./tcp-connection.ts";
import { TcpFlow } from "./tcp-flow.ts";
import { resetFrame, segmentFrame } from "./tcp-frame.ts";
import { ACK, distance, FIN, RST, SYN, TCP_HEADER, type TcpSegment } from "./tcp-segment.ts";
import type { Stalled, TcpWire } from "./tcp-sides.ts";

const MOST_CONNECTIONS = 512;
/** For want of others, one that stood still so long makes room for a new one. */
const IDLE = 300e9;
/** Data of the largest packet. */
const MOST_DATA = 0xffff - IPV4_HEADER - TCP_HEADER;

const FIRST_DYNAMIC_PORT = 49_152;
const DYNAMIC_PORTS = 16_384;

/** A connection by its two ends, and how to say a last word in it. */
export interface OpenConnection {
  readonly guest: Endpoint;
  readonly remote: Endpoint;
  readonly sequence: number;
  readonly acknowledgment: number;
}

interface Entry {
  readonly flow: TcpFlow;
  readonly guest: Endpoint;
  readonly remote: Endpoint;
}

export interface TcpRelayOptions {
  readonly clock: Clock;
  readonly host: HostSockets;
  readonly link: GuestLink;
  readonly gateway: Ipv4;
  readonly secret: SipKey;
  readonly tell: (error: IcmpError, packet: Ipv4Packet) => void;
}

export class TcpRelay {
  readonly #flows = new Map<string, Entry>();
  /** Flows that are over for the guest, whose last bytes the host still takes. */
  readonly #lingering = new Set<TcpFlow>();
  readonly #stalled = new Set<Stalled>();
  readonly #listeners: HostListener[] = [];
  readonly #wire: TcpWire;
  #nextPort = 0;

  constructor(private readonly options: TcpRelayOptions) {
    const { clock, link } = options;
    this.#wire = {
      clock,
      maximumSegmentSize: link.mtu - IPV4_HEADER - TCP_HEADER,
      get isBlocked() {
        return link.isBlocked;
      },
      stalled: connection => void this.#stalled.add(connection),
      mostData: size => (link.support.segmentation ? MOST_DATA - (MOST_DATA % size) : size),
    };
  }

  get size(): number {
    return this.#flows.size + this.#lingering.size;
  }

  // #region guest
  /** A segment from a guest, and the packet it came in. */
  receive(segment: TcpSegment, packet: Ipv4Packet, route: Route): void {
    const guest = { address: packet.source, port: segment.sourcePort };
    const remote = { address: packet.destination, port: segment.destinationPort };
    const key = keyOf(guest, remote);
    const entry = this.#flows.get(key);
    const isSyn = (segment.flags & (SYN | ACK | RST)) === SYN;
    if (entry && !(isSyn && isOver(entry.flow.connection, segment))) entry.flow.connection.receive(segment);
    else if (isSyn) {
      if (entry) this.#end(entry);
      this.#open(key, guest, remote, segment, packet, route);
    } else if (!(segment.flags & RST)) this.#refuse(guest, remote, segment);
  }

  #open(
    key: string,
    guest: Endpoint,
    remote: Endpoint,
    syn: TcpSegment,
    packet: Ipv4Packet,
    route: Route,
  ): void {
    const [nameServer] = route.kind === "name server" ? this.options.host.nameServers() : [];
    if (route.kind === "unreachable") {
      this.options.tell("host unreachable", packet);
      return;
    }
    const to = "address" in route ? { address: route.address, port: remote.port } : nameServer;
    if (!to || !this.#makeRoom()) {
      this.#refuse(guest, remote, syn);
      return;
    }
    const flow = this.#flow(key, guest, remote);
    flow.connection.asked(syn);
    const question = quotable(packet);
    flow.socket = this.options.host.connectTcp(to, {
      ...flow.hostEvents,
      closed: failure => {
        if (flow.connection.state === "opening" && (failure === "unreachable" || failure === "timed out")) {
          this.options.tell("host unreachable", question);
          flow.connection.drop();
        }
        flow.hostEvents.closed(failure);
      },
    });
  }

  #refuse(guest: Endpoint, remote: Endpoint, segment: TcpSegment): void {
    const { sequence, acknowledgment, flags, data } = segment;
    const length = data.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
    // RFC 9293, 3.10.7.1.
    if (flags & ACK) this.#reset({ guest, remote, sequence: acknowledgment, acknowledgment: 0 }, RST);
    else {
      const after = (sequence + length) >>> 0;
      this.#reset({ guest, remote, sequence: 0, acknowledgment: after }, RST | ACK);
    }
  }

  #reset({ guest, remote, sequence, acknowledgment }: OpenConnection, flags: number): void {
    this.options.link.send(resetFrame(guest, remote, { flags, sequence, acknowledgment }));
  }
  // #endregion guest

  // #region forward
  /** Connections to `at` on the host reach the guest at `guest`, from the gateway. */
  forward(at: Endpoint, guest: Endpoint, failed: (reason: string) => void): void {
    const accept = (socket: HostTcp): HostTcpEvents | null => {
      if (!this.#makeRoom()) return null;
      let remote: Endpoint;
      let key: string;
      do {
        this.#nextPort = (this.#nextPort + 1) % DYNAMIC_PORTS;
        remote = { address: this.options.gateway, port: FIRST_DYNAMIC_PORT + this.#nextPort };
        key = keyOf(guest, remote);
      } while (this.#flows.has(key));
      const flow = this.#flow(key, guest, remote);
      flow.socket = socket;
      flow.connection.ask();
      return flow.hostEvents;
    };
    this.#listeners.push(
      this.options.host.listenTcp(at, accept, reason =>
        failed(`the host's TCP port ${formatIpv4(at.address)}:${at.port} cannot be forwarded: ${reason}`),
      ),
    );
  }
  // #endregion forward

  // #region table
  #flow(key: string, guest: Endpoint, remote: Endpoint): TcpFlow {
    const flow = new TcpFlow({
      wire: this.#wire,
      initialSequence: this.#initialSequence(guest, remote),
      send: segment =>
        this.options.link.send(...segmentFrame(segment, guest, remote, this.options.link.support)),
      over: () => this.#settle(key, flow),
    });
    this.#flows.set(key, { flow, guest, remote });
    return flow;
  }

  /** Takes a flow out of the tables as far as it is over. */
  #settle(key: string, flow: TcpFlow): void {
    const { connection, socket } = flow;
    if (connection.state !== "closed") return;
    this.#stalled.delete(connection);
    if (this.#flows.get(key)?.flow === flow) this.#flows.delete(key);
    if (socket) this.#lingering.add(flow);
    else this.#lingering.delete(flow);
  }

  /** Returns whether there is room for one more: what is over or stood still the longest may have to go. */
  #makeRoom(): boolean {
    if (this.size < MOST_CONNECTIONS) return true;
    let idlest: Entry | null = null;
    for (const entry of this.#flows.values()) {
      const { state, lastActivity } = entry.flow.connection;
      if (state === "time-wait") {
        this.#end(entry);
        return true;
      }
      if (!idlest || lastActivity < idlest.flow.connection.lastActivity) idlest = entry;
    }
    if (!idlest || this.options.clock.now() - idlest.flow.connection.lastActivity < IDLE) return false;
    this.#end(idlest);
    return true;
  }

  #end({ flow, guest, remote }: Entry): void {
    flow.close();
    this.#settle(keyOf(guest, remote), flow);
  }

  /** A number that grows with time, from where nobody knows who has not the secret (RFC 6528, 3). */
  #initialSequence(guest: Endpoint, remote: Endpoint): number {
    const ports = (guest.port << 16) | remote.port;
    const start = halfSipHash(this.options.secret, [guest.address, remote.address, ports]);
    return (Math.floor(this.options.clock.now() / 4000) + start) >>> 0;
  }

  /** There is room in the guest's card: those that waited go on, each in its turn. */
  pump(): void {
    for (let [first] = this.#stalled; first && !this.options.link.isBlocked; [first] = this.#stalled) {
      this.#stalled.delete(first);
      first.pump();
    }
  }

  /** Connections that a restore must reset. */
  save(): readonly OpenConnection[] {
    return Array.from(this.#flows.values(), ({ flow, guest, remote }) => ({
      guest,
      remote,
      ...flow.connection.sequences,
    }));
  }

  /** Tells the guest that connections of an earlier run are no more. */
  resetAll(connections: readonly OpenConnection[]): void {
    for (const connection of connections) this.#reset(connection, RST | ACK);
  }

  /** Breaks off the host's side of everything, without a word to the guest; forwarded ports stay. */
  forget(): void {
    for (const { flow } of this.#flows.values()) flow.drop();
    for (const flow of this.#lingering) flow.drop();
    this.#flows.clear();
    this.#lingering.clear();
    this.#stalled.clear();
  }

  close(): void {
    this.forget();
    for (const listener of this.#listeners) listener.close();
    this.#listeners.length = 0;
  }
  // #endregion table
}

function keyOf(guest: Endpoint, remote: Endpoint): string {
  return `${guest.address}:${guest.port} ${remote.address}:${remote.port}`;
}

/** A connection in TIME-WAIT gives way to a new one whose numbers are beyond its own (RFC 9293, 3.10.7.4). */
function isOver(connection: TcpConnection, syn: TcpSegment): boolean {
  return connection.state === "time-wait" && distance(syn.sequence, connection.sequences.acknowledgment) > 0;
}
