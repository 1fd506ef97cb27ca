/**
 * The sockets of the host, as the user-mode network needs them: Node's, or services inside a page.
 *
 * What a function asks for begins at once and its outcome comes as an event, never before the function has
 * returned.
 */
import type { Endpoint } from "./addresses.ts";

/** Why a connection or datagram did not get through. */
export type HostFailure = "refused" | "unreachable" | "timed out" | "reset";

export interface HostTcpEvents {
  /** A connection that was asked for is there. */
  connected(): void;
  /** Bytes came; they are the listener's to keep until the call ends. */
  data(bytes: Uint8Array): void;
  /** The other side sends no more. */
  ended(): void;
  /** The connection is over, null in good order; nothing comes after this. */
  closed(failure: HostFailure | null): void;
}

export interface HostTcp {
  /** Sends bytes, which are the socket's to keep; `flushed` is called once it holds them no more. */
  write(bytes: Uint8Array, flushed: () => void): void;
  /** Sends no more, after what was written. */
  end(): void;
  /** Breaks the connection off; no event comes after this. */
  reset(): void;
  /** No `data` from now on, but for what is on its way already. */
  pause(): void;
  resume(): void;
}

export interface HostUdpEvents {
  received(data: Uint8Array, from: Endpoint): void;
  /** What was sent to `to` did not get there. */
  failed(failure: HostFailure, to: Endpoint): void;
}

export interface HostUdp {
  send(data: Uint8Array, to: Endpoint): void;
  close(): void;
}

export interface HostListener {
  close(): void;
}

export interface HostSockets {
  connectTcp(to: Endpoint, events: HostTcpEvents): HostTcp;
  /** Waits for connections at `at`; `accept` gets each and returns who listens to it, or null to break it off. */
  listenTcp(
    at: Endpoint,
    accept: (socket: HostTcp, from: Endpoint) => HostTcpEvents | null,
    failed: (reason: string) => void,
  ): HostListener;
  /** A socket at `at`, or at a port of the host's choice if that is null. */
  openUdp(at: Endpoint | null, events: HostUdpEvents, failed: (reason: string) => void): HostUdp;
  /** The host's own name servers. */
  nameServers(): readonly Endpoint[];
}
