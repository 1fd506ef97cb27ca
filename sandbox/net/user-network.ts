/**
 * The user-mode network: a whole network that needs no privileges, as it ends in ordinary sockets.
 *
 *     10.0.2.0/24   the guests' network; 10.0.2.15 is the first guest's address, by DHCP
 *     10.0.2.2      gateway and DHCP server; connections to it reach the host's loopback
 *     10.0.2.3      name server: relays to the host's
 *
 * The addresses are those of QEMU's user network, so that guests and habits move between the two.
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import type { NetBackend, Offload, OffloadSupport } from "#layers/07-virtio-net/net-backend.ts";
import { macAt } from "#layers/07-virtio-net/receive-filter.ts";
import { ANY, EVERYBODY, type Ipv4, isMulticast, read16 } from "./addresses.ts";
import { checksum } from "./checksum.ts";
import { DHCP_SERVER_PORT, DhcpServer, type Lease } from "./dhcp.ts";
import { FragmentReassembly } from "./fragments.ts";
import { echoReply, type IcmpError, icmpError, isEchoRequest } from "./icmp.ts";
import {
  ETHERNET_HEADER,
  ETHERTYPE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ICMP,
  type Ipv4Packet,
  parseIpv4,
  UDP,
} from "./ipv4.ts";
import { BROADCAST_MAC, GuestLink } from "./link.ts";
import { makeUdp, parseUdp } from "./udp.ts";

export const NETWORK = 0x0a00_0200;
export const MASK = 0xffff_ff00;
export const GATEWAY = 0x0a00_0202;
export const NAME_SERVER = 0x0a00_0203;
export const FIRST_GUEST = 0x0a00_020f;
const LAST_GUEST = 0x0a00_02fe;

const OWN = new Map([
  [GATEWAY, "52:55:0a:00:02:02"],
  [NAME_SERVER, "52:55:0a:00:02:03"],
]);

export interface UserNetworkOptions {
  readonly clock: Clock;
}

export interface UserNetworkState {
  leases: readonly Lease[];
  neighbours: readonly (readonly [Ipv4, string])[];
}

export class UserNetwork implements NetBackend {
  readonly offloads: OffloadSupport = { checksum: true, segmentation: true };
  readonly #link = new GuestLink({ network: NETWORK, mask: MASK, own: OWN });
  readonly #fragments: FragmentReassembly;
  readonly #dhcp: DhcpServer;

  constructor(options: UserNetworkOptions) {
    const { clock } = options;
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
    if (!isFromNowhere) this.#link.learn(packet.source, macAt(frame, 6));
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
    if (protocol === UDP) {
      this.#receiveUdp(packet, isSumLeftOut);
      return;
    }
    if (isMulticast(destination) || destination === EVERYBODY) return;
    if (protocol === ICMP && checksum(packet.payload) !== 0) return;
    if (OWN.has(destination)) {
      if (isEchoRequest(packet)) this.#link.send(echoReply(packet));
      return;
    }
    this.#tell("host unreachable", packet);
  }

  #receiveUdp(packet: Ipv4Packet, isSumLeftOut: boolean): void {
    const datagram = parseUdp(packet, isSumLeftOut);
    if (!datagram) return;
    if (datagram.to.port === DHCP_SERVER_PORT) {
      const reply = this.#dhcp.answer(datagram.data);
      if (reply) this.#link.sendTo(reply.mac ?? BROADCAST_MAC, makeUdp(reply));
      return;
    }
    this.#tell("host unreachable", packet);
  }

  #tell(error: IcmpError, packet: Ipv4Packet): void {
    const frame = icmpError(error, packet, GATEWAY, this.#link.mtu);
    if (frame) this.#link.send(frame);
  }

  save(): UserNetworkState {
    return { leases: this.#dhcp.save(), neighbours: this.#link.save() };
  }

  restore(state: UserNetworkState): void {
    this.#dhcp.restore(state.leases);
    this.#link.restore(state.neighbours);
  }
}
