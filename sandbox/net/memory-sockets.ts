/**
 * Sockets of a host that is only in memory: its services are functions. A page answers its guest with
 * them, and tests speak to the network through them.
 *
 * Events come by `later`, as `setTimeout` or a test's own queue, so never inside the call that causes them.
 */
import { type Endpoint, formatIpv4, LOOPBACK } from "./addresses.ts";
import type {
  HostListener,
  HostSockets,
  HostTcp,
  HostTcpEvents,
  HostUdp,
  HostUdpEvents,
} from "./host-sockets.ts";

/** Answers a connection: gets the service's own socket and returns who listens to it. */
export type TcpService = (socket: HostTcp, from: Endpoint) => Omit<HostTcpEvents, "connected">;
export type UdpService = (data: Uint8Array, from: Endpoint, reply: (data: Uint8Array) => void) => void;

export interface MemorySocketsOptions {
  readonly later: (callback: () => void) => void;
  readonly nameServers?: readonly Endpoint[];
}

interface UdpSocket {
  readonly events: HostUdpEvents;
  readonly at: Endpoint;
}

export class MemorySockets implements HostSockets {
  readonly #services = new Map<string, TcpService>();
  readonly #datagramServices = new Map<string, UdpService>();
  readonly #listeners = new Map<string, (socket: HostTcp, from: Endpoint) => HostTcpEvents | null>();
  readonly #sockets = new Map<string, UdpSocket>();
  #port = 32_768;

  constructor(private readonly options: MemorySocketsOptions) {}

  /** Open UDP sockets. */
  get udpSockets(): number {
    return this.#sockets.size;
  }

  serveTcp(at: Endpoint, service: TcpService): void {
    this.#services.set(name(at), service);
  }

  serveUdp(at: Endpoint, service: UdpService): void {
    this.#datagramServices.set(name(at), service);
  }

  connectTcp(to: Endpoint, events: HostTcpEvents): HostTcp {
    const { later } = this.options;
    const service = this.#services.get(name(to));
    const ours = new MemoryTcp(later);
    if (!service) {
      ours.events = events;
      later(() => ours.fail("refused"));
      return ours;
    }
    const theirs = new MemoryTcp(later);
    join(ours, theirs);
    ours.events = events;
    theirs.events = { connected() {}, ...service(theirs, { address: LOOPBACK, port: this.#port++ }) };
    ours.tell(() => events.connected());
    return ours;
  }

  /** Somebody on the host connects to a port that is listened at; null if nobody listens. */
  call(at: Endpoint, events: HostTcpEvents): HostTcp | null {
    const accept = this.#listeners.get(name(at));
    if (!accept) return null;
    const [ours, theirs] = [new MemoryTcp(this.options.later), new MemoryTcp(this.options.later)];
    join(ours, theirs);
    const accepted = accept(theirs, { address: LOOPBACK, port: this.#port++ });
    if (!accepted) return null;
    theirs.events = accepted;
    ours.events = events;
    ours.tell(() => events.connected());
    return ours;
  }

  listenTcp(
    at: Endpoint,
    accept: (socket: HostTcp, from: Endpoint) => HostTcpEvents | null,
    failed: (reason: string) => void,
  ): HostListener {
    if (this.#listeners.has(name(at))) {
      this.options.later(() => failed("the address is in use"));
      return { close() {} };
    }
    this.#listeners.set(name(at), accept);
    return { close: () => void this.#listeners.delete(name(at)) };
  }

  openUdp(at: Endpoint | null, events: HostUdpEvents, failed: (reason: string) => void): HostUdp {
    const own = at ?? { address: LOOPBACK, port: this.#port++ };
    if (this.#sockets.has(name(own))) {
      this.options.later(() => failed("the address is in use"));
      return { send() {}, close() {} };
    }
    this.#sockets.set(name(own), { events, at: own });
    return {
      send: (data, to) => this.sendUdp(data.slice(), own, to),
      close: () => void this.#sockets.delete(name(own)),
    };
  }

  /** A datagram between two addresses of the host. */
  sendUdp(data: Uint8Array, from: Endpoint, to: Endpoint): void {
    const service = this.#datagramServices.get(name(to));
    this.options.later(() => {
      const back = this.#sockets.get(name(from));
      if (service) service(data, from, answer => this.sendUdp(answer, to, from));
      else if (this.#sockets.has(name(to))) this.#sockets.get(name(to))!.events.received(data, from);
      else back?.events.failed("refused", to);
    });
  }

  nameServers(): readonly Endpoint[] {
    return this.options.nameServers ?? [];
  }
}

function name({ address, port }: Endpoint): string {
  return `${formatIpv4(address)}:${port}`;
}

function join(one: MemoryTcp, other: MemoryTcp): void {
  one.peer = other;
  other.peer = one;
}

/** Bytes that may be on their way to a socket that takes them; the writer's `flushed` waits beyond. */
const IN_FLIGHT = 0x1_0000;

interface Write {
  readonly bytes: Uint8Array;
  readonly flushed: () => void;
}

/** One end of a connection. */
class MemoryTcp implements HostTcp {
  events: HostTcpEvents | null = null;
  peer: MemoryTcp | null = null;
  /** What the peer wrote and this end has not taken yet. */
  readonly #incoming: (Write | "end")[] = [];
  #isPaused = false;
  #isOver = false;
  #isPlanned = false;
  #ends = 0;

  constructor(private readonly later: (callback: () => void) => void) {}

  /** Calls `event` later, unless the connection is over by then. */
  tell(event: () => void): void {
    this.later(() => {
      if (!this.#isOver) event();
    });
  }

  write(bytes: Uint8Array, flushed: () => void): void {
    this.peer?.arrive({ bytes, flushed });
  }

  end(): void {
    this.peer?.arrive("end");
    this.#ended();
  }

  reset(): void {
    this.#isOver = true;
    const { peer } = this;
    peer?.tell(() => peer.fail("reset"));
  }

  fail(failure: "refused" | "reset"): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.events?.closed(failure);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#plan();
  }

  arrive(what: Write | "end"): void {
    this.#incoming.push(what);
    this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.tell(() => {
      this.#isPlanned = false;
      this.#take();
    });
  }

  #take(): void {
    for (let taken = 0; taken < IN_FLIGHT && !this.#isPaused && !this.#isOver; ) {
      const next = this.#incoming.shift();
      if (!next) return;
      if (next === "end") {
        this.events?.ended();
        this.#ended();
      } else {
        taken += next.bytes.length;
        this.events?.data(next.bytes);
        this.peer?.tell(next.flushed);
      }
    }
    if (this.#incoming.length > 0 && !this.#isPaused) this.#plan();
  }

  /** One direction has ended; after both the connection is over. */
  #ended(): void {
    this.#ends++;
    if (this.#ends < 2) return;
    this.tell(() => {
      this.#isOver = true;
      this.events?.closed(null);
    });
  }
}
