/** Node's sockets, for the user-mode network: what the guest opens is opened here, by this process. */
import { createSocket, type RemoteInfo } from "node:dgram";
import { getServers } from "node:dns";
import { createServer, isIP, Socket } from "node:net";
import { ANY, type Endpoint, formatIpv4, parseIpv4Address } from "../../net/addresses.ts";
import type {
  HostFailure,
  HostListener,
  HostSockets,
  HostTcp,
  HostTcpEvents,
  HostUdp,
  HostUdpEvents,
} from "../../net/host-sockets.ts";

const FAILURES: Readonly<Record<string, HostFailure>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "timed out",
};

/** What a guest hears of an error of the host's: whatever is no refusal and no break, is out of reach. */
function failureOf(error: NodeJS.ErrnoException): HostFailure {
  return FAILURES[error.code ?? ""] ?? "unreachable";
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === "EADDRINUSE") return "another program has it";
  if (error.code === "EACCES") return "ports below 1024 are for privileged programs; take a higher one";
  if (error.code === "EADDRNOTAVAIL") return "the host does not have that address";
  return error.message;
}

export class NodeSockets implements HostSockets {
  /**
   * `heard` is called after each event that came from outside: a guest that sleeps may have to wake.
   * `servers` tells the name servers, as ADDRESS or ADDRESS:PORT; default: the system's.
   */
  constructor(
    private readonly heard: () => void = () => {},
    private readonly servers: () => readonly string[] = getServers,
  ) {}

  connectTcp(to: Endpoint, events: HostTcpEvents): HostTcp {
    const socket = new Socket({ allowHalfOpen: true });
    const tcp = new NodeTcp(socket, this.heard);
    tcp.listen(events);
    socket.connect({ host: formatIpv4(to.address), port: to.port, noDelay: true });
    return tcp;
  }

  listenTcp(
    at: Endpoint,
    accept: (socket: HostTcp, from: Endpoint) => HostTcpEvents | null,
    failed: (reason: string) => void,
  ): HostListener {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      const tcp = new NodeTcp(socket, this.heard);
      const address = parseIpv4Address(socket.remoteAddress ?? "") ?? ANY;
      const events = accept(tcp, { address, port: socket.remotePort ?? 0 });
      if (events) tcp.listen(events);
      else socket.resetAndDestroy();
      this.heard();
    });
    server.on("error", error => failed(reasonOf(error)));
    server.listen({ host: formatIpv4(at.address), port: at.port });
    return { close: () => void server.close() };
  }

  openUdp(at: Endpoint | null, events: HostUdpEvents, failed: (reason: string) => void): HostUdp {
    const socket = createSocket("udp4");
    let isClosed = false;
    const close = () => {
      if (!isClosed) socket.close();
      isClosed = true;
    };
    socket.on("message", (data: Uint8Array, { address, port }: RemoteInfo) => {
      if (isClosed) return;
      events.received(data, { address: parseIpv4Address(address) ?? ANY, port });
      this.heard();
    });
    socket.on("error", error => {
      if (isClosed) return;
      close();
      failed(reasonOf(error));
    });
    socket.bind({ address: formatIpv4(at?.address ?? ANY), port: at?.port ?? 0 });
    return {
      send: (data, to) => {
        if (isClosed) return;
        socket.send(data, to.port, formatIpv4(to.address), error => {
          if (!error || isClosed) return;
          events.failed(failureOf(error), to);
          this.heard();
        });
      },
      close,
    };
  }

  /** The servers of /etc/resolv.conf, or of whatever the system has in its place; only those on IPv4. */
  nameServers(): readonly Endpoint[] {
    return this.servers().flatMap(server => {
      const [, host = server, port = "53"] = /^([^:]+):(\d+)$/.exec(server) ?? [];
      const address = isIP(host) === 4 ? parseIpv4Address(host) : null;
      return address === null ? [] : [{ address, port: Number(port) }];
    });
  }
}

class NodeTcp implements HostTcp {
  #isReset = false;

  constructor(
    private readonly socket: Socket,
    private readonly heard: () => void,
  ) {}

  listen(events: HostTcpEvents): void {
    const { socket } = this;
    let failure: HostFailure | null = null;
    const told = <Arguments extends unknown[]>(event: (...details: Arguments) => void) => {
      return (...details: Arguments) => {
        if (this.#isReset) return;
        event(...details);
        this.heard();
      };
    };
    socket.on(
      "connect",
      told(() => events.connected()),
    );
    socket.on(
      "data",
      told((bytes: Uint8Array) => events.data(bytes)),
    );
    socket.on(
      "end",
      told(() => events.ended()),
    );
    socket.on("error", error => {
      failure = failureOf(error);
    });
    socket.on(
      "close",
      told(() => events.closed(failure)),
    );
  }

  write(bytes: Uint8Array, flushed: () => void): void {
    this.socket.write(bytes, error => {
      if (error || this.#isReset) return;
      flushed();
      this.heard();
    });
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.#isReset = true;
    // An error may still come, and has nobody to tell.
    this.socket.on("error", () => {});
    this.socket.resetAndDestroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }
}
