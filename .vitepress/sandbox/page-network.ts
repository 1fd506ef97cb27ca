/**
 * The network in the page: a switch with the machines at it and the user-mode network as their way out, which ends
 * in services of the page itself. No frame leaves the page.
 */
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import { HostClock } from "../../sandbox/machine/clock.ts";
import { type Endpoint, formatIpv4, type Ipv4, LOOPBACK } from "../../sandbox/net/addresses.ts";
import { DNS_PORT } from "../../sandbox/net/dns.ts";
import { MemorySockets } from "../../sandbox/net/memory-sockets.ts";
import { Switch } from "../../sandbox/net/switch.ts";
import { FIRST_GUEST, GATEWAY, NETWORK, UserNetwork } from "../../sandbox/net/user-network.ts";
import type { PageHost } from "./page-host.ts";
import { answerQuery } from "./page-names.ts";
import { type Pages, servePages } from "./page-server.ts";
import type { FetchedPage } from "./protocol.ts";

const HTTP_PORT = 80;
const NAME_SERVER: Endpoint = { address: LOOPBACK, port: DNS_PORT };
const LAST_GUEST = NETWORK + 254;
/** The page's own name, for guests that ask for names. */
const PAGE_NAME = "page.vmexit";
/** Milliseconds. */
const PATIENCE = 10_000;
/** The switch gives its frames without what a wire has no place for, where somebody wants them so. */
const AS_THEY_ARE = { checksum: true, segmentation: true };

export class PageNetworkError extends Error {
  override readonly name = "PageNetworkError";
}

export interface PageNetworkOptions {
  readonly host: PageHost;
  readonly pages: Pages;
  /** The hardware address of the machine with a name like "a.vmexit"; null if there is none. */
  readonly machineNamed: (name: string) => string | null;
}

export class PageNetwork {
  readonly #host: PageHost;
  readonly #clock: PumpedClock;
  readonly #sockets: MemorySockets;
  readonly #lan: Switch;
  readonly #network: UserNetwork;

  constructor({ host, pages, machineNamed }: PageNetworkOptions) {
    this.#host = host;
    this.#clock = new PumpedClock(host);
    this.#sockets = new MemorySockets({ later: host.soon, nameServers: [NAME_SERVER] });
    this.#sockets.serveTcp({ address: LOOPBACK, port: HTTP_PORT }, servePages(pages));
    this.#sockets.serveUdp(NAME_SERVER, (query, _from, reply) => {
      const answer = answerQuery(query, name => this.#addressNamed(name, machineNamed));
      if (answer) reply(answer);
    });
    this.#network = new UserNetwork({ clock: this.#clock, host: this.#sockets, forwards: everyGuestsWeb() });
    this.#lan = new Switch(host.soon);
    join(this.#lan.plug(), this.#network);
  }

  /** A port of the switch for a card; `woken` is called when frames have come. */
  plug(woken: () => void): ReturnType<Switch["plug"]> {
    return this.#lan.plug(woken);
  }

  /** While no machine runs its time stands still, so that no connection times out. */
  setRunning(isRunning: boolean): void {
    if (isRunning) this.#clock.resume();
    else this.#clock.pause();
  }

  /** The address of the machine with this card, as far as the network has heard of it. */
  addressOf(mac: string): Ipv4 | null {
    const { leases, neighbours } = this.#network.save();
    const [heard] = neighbours.filter(([, card]) => card === mac).at(-1) ?? [];
    return heard ?? leases.find(lease => lease.mac === mac)?.address ?? null;
  }

  /** Fetches a page of the machine with this card. Rejects with a `PageNetworkError`. */
  fetch(mac: string, path: string): Promise<FetchedPage> {
    const address = this.addressOf(mac);
    return new Promise((resolve, reject) => {
      const refuse = (sentence: string) => reject(new PageNetworkError(sentence));
      if (address === null) {
        refuse("the network has not heard of this machine yet: it asks for an address when it boots");
        return;
      }
      let text = "";
      const cancel = this.#host.later(PATIENCE, () => {
        connection?.reset();
        refuse(`${formatIpv4(address)} did not answer within ${PATIENCE / 1000} seconds`);
      });
      const connection = this.#sockets.call(forwardedPort(address), {
        connected() {},
        data(bytes) {
          for (const byte of bytes) text += String.fromCharCode(byte);
        },
        ended() {
          cancel();
          connection?.end();
          resolve(pageOf(formatIpv4(address), text));
        },
        closed(failure) {
          cancel();
          if (failure) refuse(`nobody serves pages at ${formatIpv4(address)}: the connection was ${failure}`);
        },
      });
      if (!connection) {
        cancel();
        refuse(`${formatIpv4(address)} is not reached from the page`);
        return;
      }
      connection.write(new TextEncoder().encode(`GET ${path} HTTP/1.0\r\n\r\n`), () => {});
    });
  }

  #addressNamed(name: string, machineNamed: PageNetworkOptions["machineNamed"]): Ipv4 | null {
    if (name === PAGE_NAME) return GATEWAY;
    const mac = machineNamed(name);
    return mac === null ? null : this.addressOf(mac);
  }
}

/** The user network at a port of the switch: whatever floods there reaches it, as a gateway would be. */
function join(port: NetBackend, network: UserNetwork): void {
  port.onFrame = (frame, offload = null) => {
    network.send(frame, offload);
    return true;
  };
  port.guestTakes?.(AS_THEY_ARE);
  network.onFrame = (frame, offload = null) => {
    port.send(frame, offload);
    return true;
  };
  network.guestTakes(AS_THEY_ARE);
}

/** A port of the page's side for the web server of each address that a guest may have. */
function everyGuestsWeb() {
  return Array.from({ length: LAST_GUEST - FIRST_GUEST + 1 }, (_, index) => {
    const address = FIRST_GUEST + index;
    return { protocol: "tcp" as const, host: forwardedPort(address), guest: { address, port: HTTP_PORT } };
  });
}

function forwardedPort(address: Ipv4): Endpoint {
  return { address: LOOPBACK, port: 8000 + (address & 0xff) };
}

function pageOf(address: string, text: string): FetchedPage {
  const end = /\r?\n\r?\n/.exec(text);
  const head = end ? text.slice(0, end.index) : text;
  const body = end ? text.slice(end.index + end[0].length) : "";
  return { address, status: head.split(/\r?\n/)[0] ?? "", body };
}

/** A clock of the host's that runs its own timers. */
class PumpedClock extends HostClock {
  #planned = Number.POSITIVE_INFINITY;
  #cancel = () => {};

  constructor(private readonly host: PageHost) {
    super(host.monotonic);
  }

  override schedule(deadline: number, callback: () => void): () => void {
    const cancel = super.schedule(deadline, callback);
    this.#plan();
    return cancel;
  }

  override resume(): void {
    super.resume();
    this.#plan();
  }

  #plan(): void {
    const next = this.nextDeadline;
    if (this.paused || next >= this.#planned) return;
    this.#cancel();
    this.#planned = next;
    this.#cancel = this.host.later(Math.max(0, Math.ceil((next - this.now()) / 1e6)), () => {
      this.#planned = Number.POSITIVE_INFINITY;
      if (!this.paused) this.runDue();
      this.#plan();
    });
  }
}
