/**
 * The user-mode network: a whole network that needs no privileges, as it ends in ordinary sockets.
 *
 *     10.0.2.0/24   the guests' network; 10.0.2.15 is the first guest's address, by DHCP
 *     10.0.2.2      gateway and DHCP server; connections to it reach the host's loopback
 *     10.0.2.3      name server: relays to the host's
 *
 * Both answer echo requests. To those for anybody else the gateway says "host unreachable", for an ordinary
 * program may not send them: from inside, a `ping` of another host fails where a connection to it works.
 *
 * The addresses are those of QEMU's user network, so that guests and habits move between the two.
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import type { NetBackend, Offload, OffloadSupport } from "#layers/07-virtio-net/net-backend.ts";
import { ANY, type Endpoint, EVERYBODY, type Ipv4, isMulticast, read16 } from "./addresses.ts";
import { checksum } from "./checksum.ts";
import { DHCP_SERVER_PORT, DhcpServer, type Lease } from "./dhcp.ts";
import { FragmentReassembly } from "./fragments.ts";
import type { SipKey } from "./half-sip-hash.ts";
import type { HostSockets } from "./host-sockets.ts";
import { echoReply, type IcmpError, icmpError, isEchoRequest } from "./icmp.ts";
import {
  ETHERNET_HEADER,
  ETHERTYPE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ICMP,
  type Ipv4Packet,
  parseIpv4,
  TCP,
  UDP,
} from "./ipv4.ts";
import { BROADCAST_MAC, GuestLink } from "./link.ts";
import { route } from "./routes.ts";
import { type OpenConnection, TcpRelay } from "./tcp-relay.ts";
import { parseTcp } from "./tcp-segment.ts";
import { type Datagram, makeUdp, parseUdp } from "./udp.ts";
import { UdpRelay } from "./udp-relay.ts";

export const NETWORK = 0x0a00_0200;
export const MASK = 0xffff_ff00;
export const GATEWAY = 0x0a00_0202;
export const NAME_SERVER = 0x0a00_0203;
export const FIRST_GUEST = 0x0a00_020f;
const LAST_GUEST = 0x0a00_02fe;

const ADDRESSES = { network: NETWORK, mask: MASK, gateway: GATEWAY, nameServer: NAME_SERVER };
const OWN = new Map([
  [GATEWAY, "52:55:0a:00:02:02"],
  [NAME_SERVER, "52:55:0a:00:02:03"],
]);

/** A port of the host whose connections or datagrams reach a guest. */
export interface Forward {
  readonly protocol: "tcp" | "udp";
  /** Where the host listens. */
  readonly host: Endpoint;
  /** Default address: the first guest's. */
  readonly guest: { readonly address?: Ipv4; readonly port: number };
}

export interface UserNetworkOptions {
  readonly clock: Clock;
  readonly host: HostSockets;
  readonly forwards?: readonly Forward[];
  /** Something that was asked for cannot be, in a sentence: a forwarded port that is taken. */
  readonly complain?: (sentence: string) => void;
  /** Random, so that nobody can guess the numbers of a connection; without it they are the same in each run. */
  readonly secret?: SipKey;
}

export interface UserNetworkState {
  leases: readonly Lease[];
  neighbours: readonly (readonly [Ipv4, string])[];
  /** The host's side of these is not saved: a restore resets them. */
  connections: readonly OpenConnection[];
}

export class UserNetwork implements NetBackend {
  readonly offloads: OffloadSupport = { checksum: true, segmentation: true };
  readonly #link = new GuestLink({ network: NETWORK, mask: MASK, own: OWN });
  readonly #fragments: FragmentReassembly;
  readonly #dhcp: DhcpServer;
  readonly #udp: UdpRelay;
  readonly #tcp: TcpRelay;
  readonly #clock: Clock;
  readonly #arrived: { readonly frame: Uint8Array; readonly offload: Offload | null }[] = [];

  constructor({ clock, host, forwards = [], complain = () => {}, secret = [0, 0] }: UserNetworkOptions) {
    this.#clock = clock;
    this.#fragments = new FragmentReassembly(clock);
    this.#dhcp = new DhcpServer({
      clock,
      network: NETWORK,
      mask: MASK,
      server: GATEWAY,
      nameServer: NAME_SERVER,
      first: FIRST_GUEST,
      last: LAST_GUEST,
    });
    const link = this.#link;
    const tell = (error: IcmpError, packet: Ipv4Packet) => this.#tell(error, packet);
    const send = (datagram: Datagram) => link.send(makeUdp(datagram));
    this.#udp = new UdpRelay({ clock, host, gateway: GATEWAY, send, tell });
    this.#tcp = new TcpRelay({ clock, host, gateway: GATEWAY, link, secret, tell });
    link.onRoom = () => this.#tcp.pump();
    for (const { protocol, host: at, guest } of forwards) {
      const to = { address: guest.address ?? FIRST_GUEST, port: guest.port };
      if (protocol === "tcp") this.#tcp.forward(at, to, complain);
      else this.#udp.forward(at, to, complain);
    }
  }

  /** Connections and UDP ports that are open. */
  get size(): number {
    return this.#tcp.size + this.#udp.size;
  }

  // #region backend
  get onFrame(): NetBackend["onFrame"] {
    return this.#link.onFrame;
  }

  set onFrame(onFrame: NetBackend["onFrame"]) {
    this.#link.onFrame = onFrame;
  }

  roomAgain(): void {
    this.#link.roomAgain();
  }

  guestTakes(offloads: OffloadSupport): void {
    this.#link.support = offloads;
    this.#link.forgetWaiting();
  }

  send(frame: Uint8Array, offload: Offload | null): void {
    this.#arrived.push({ frame, offload });
    if (this.#arrived.length > 1) return;
    // A guest that answers inside the delivery of a frame waits for its turn.
    for (let first = this.#arrived[0]; first; first = this.#arrived[0]) {
      try {
        this.#receive(first.frame, first.offload);
      } finally {
        this.#arrived.shift();
      }
    }
  }

  #receive(frame: Uint8Array, offload: Offload | null): void {
    if (frame.length < ETHERNET_HEADER) return;
    const type = read16(frame, ETHERTYPE);
    if (type === ETHERTYPE_ARP) this.#link.receiveArp(frame);
    else if (type === ETHERTYPE_IPV4) this.#receiveIpv4(frame, offload);
  }
  // #endregion backend

  #receiveIpv4(frame: Uint8Array, offload: Offload | null): void {
    const packet = parseIpv4(frame);
    if (!packet) return;
    const isFromNowhere = packet.source === ANY && packet.protocol === UDP;
    if (!isFromNowhere && !this.#isGuest(packet.source)) return;
    if (!isFromNowhere) this.#link.learn(packet.source, frame.subarray(6, 12));
    const isWhole = !packet.moreFragments && packet.fragmentOffset === 0;
    const whole = isWhole ? packet : this.#fragments.add(packet);
    if (whole)
      this.#receivePacket(whole, isWhole && offload?.checksum !== undefined && offload.checksum !== null);
  }

  #isGuest(address: Ipv4): boolean {
    return this.#link.isInSubnet(address) && !OWN.has(address) && (address & ~MASK) !== 0;
  }

  #receivePacket(packet: Ipv4Packet, isSumLeftOut: boolean): void {
    const { protocol, destination } = packet;
    if (protocol === UDP) this.#receiveUdp(packet, isSumLeftOut);
    else if (isForAll(destination)) return;
    else if (packet.timeToLive <= 1 && !OWN.has(destination)) this.#tell("time exceeded", packet);
    else if (protocol === TCP) {
      const segment = parseTcp(packet, isSumLeftOut);
      const to = { address: destination, port: segment?.destinationPort ?? 0 };
      if (segment && segment.sourcePort !== 0) this.#tcp.receive(segment, packet, route(to, ADDRESSES));
    } else if (protocol === ICMP && checksum(packet.payload) !== 0) return;
    else if (!OWN.has(destination)) this.#tell("host unreachable", packet);
    else if (isEchoRequest(packet)) this.#link.send(echoReply(packet));
    else if (protocol !== ICMP) this.#tell("protocol unreachable", packet);
  }

  #receiveUdp(packet: Ipv4Packet, isSumLeftOut: boolean): void {
    const datagram = parseUdp(packet, isSumLeftOut);
    if (!datagram) return;
    const { address, port } = datagram.to;
    if (port === DHCP_SERVER_PORT && (address === GATEWAY || address === EVERYBODY)) {
      const reply = this.#dhcp.answer(datagram.data);
      if (reply) this.#link.sendTo(reply.mac ?? BROADCAST_MAC, makeUdp(reply));
    } else if (isForAll(address) || packet.source === ANY || datagram.from.port === 0) return;
    else if (packet.timeToLive <= 1 && !OWN.has(address)) this.#tell("time exceeded", packet);
    else this.#udp.receive(datagram, packet, route(datagram.to, ADDRESSES));
  }

  #tell(error: IcmpError, packet: Ipv4Packet): void {
    const frame = icmpError(error, packet, GATEWAY);
    if (frame) this.#link.send(frame);
  }

  /** Leases and neighbours survive; what hangs on sockets of the host does not. */
  save(): UserNetworkState {
    const connections = this.#tcp.save();
    return { leases: this.#dhcp.save(), neighbours: this.#link.save(), connections };
  }

  /**
   * Goes on from `save`. The guest hears a reset of each TCP connection that was open: as soon as the
   * machine runs, and if it says something in one of them later, again.
   */
  restore({ leases, neighbours, connections }: UserNetworkState): void {
    this.#dhcp.restore(leases);
    this.#link.restore(neighbours);
    this.#udp.forget();
    this.#tcp.forget();
    this.#clock.schedule(this.#clock.now(), () => this.#tcp.resetAll(connections));
  }

  /** Closes every socket of the host. */
  close(): void {
    this.#udp.close();
    this.#tcp.close();
  }
}

function isForAll(address: Ipv4): boolean {
  return isMulticast(address) || address === EVERYBODY || address === (NETWORK | ~MASK) >>> 0;
}
