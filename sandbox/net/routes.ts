/** Where a guest's packets go: what an address and a port of theirs are on the host. */
import { type Endpoint, type Ipv4, LOOPBACK } from "./addresses.ts";
import { DNS_PORT } from "./dns.ts";

export type Route =
  /** The gateway: the host's loopback. */
  | { readonly kind: "gateway"; readonly address: Ipv4 }
  | { readonly kind: "host"; readonly address: Ipv4 }
  | { readonly kind: "name server" }
  /** An address of the network's own, where nobody listens at that port. */
  | { readonly kind: "closed" }
  | { readonly kind: "unreachable" };

export interface Addresses {
  readonly network: Ipv4;
  readonly mask: Ipv4;
  readonly gateway: Ipv4;
  readonly nameServer: Ipv4;
}

/** Where a unicast packet to `to` goes. */
export function route(to: Endpoint, { network, mask, gateway, nameServer }: Addresses): Route {
  const { address, port } = to;
  if (port === 0) return { kind: "closed" };
  if (address === gateway) return { kind: "gateway", address: LOOPBACK };
  if (address === nameServer) return port === DNS_PORT ? { kind: "name server" } : { kind: "closed" };
  const first = address >>> 24;
  // "This network", the host's own loopback, the reserved class E, and guests that are not there.
  const isNowhere = first === 0 || first === 127 || first >= 240;
  if (isNowhere || (address & mask) >>> 0 === network) return { kind: "unreachable" };
  return { kind: "host", address };
}
