/** A connection of a guest and the host's socket that it belongs to: bytes, ends and breaks go across. */
import type { HostTcp, HostTcpEvents } from "./host-sockets.ts";
import { TcpConnection } from "./tcp-connection.ts";
import type { OutgoingSegment, TcpUser, TcpWire } from "./tcp-sides.ts";

/** The host's side is paused when that many bytes wait for the guest, and goes on when few are left. */
const HIGH = 0x4_0000;
const LOW = 0x2_0000;

export interface TcpFlowOptions {
  readonly wire: TcpWire;
  readonly initialSequence: number;
  readonly send: (segment: OutgoingSegment) => void;
  /** Called when one side is over, and when both are. */
  readonly over: () => void;
}

export class TcpFlow {
  /** Null before there is one, and once it is over. */
  socket: HostTcp | null = null;
  readonly connection: TcpConnection;
  readonly hostEvents: HostTcpEvents;
  #isPaused = false;

  constructor(options: TcpFlowOptions) {
    const user: TcpUser = {
      send: options.send,
      received: bytes => this.#received(bytes),
      ended: () => this.socket?.end(),
      acknowledged: () => this.#acknowledged(),
      closed: how => {
        // In good order, the host's side may still have to deliver what it was given.
        if (how !== "finished") this.#breakOff();
        options.over();
      },
    };
    this.connection = new TcpConnection(options.wire, user, options.initialSequence);
    this.hostEvents = {
      connected: () => this.connection.accept(),
      data: bytes => {
        this.connection.push(bytes);
        if (this.#isPaused || this.connection.unsent < HIGH) return;
        this.#isPaused = true;
        this.socket?.pause();
      },
      ended: () => this.connection.end(),
      closed: failure => {
        this.socket = null;
        // In good order, both sides have ended: what is left to be sent is sent, and FIN.
        if (failure === null) this.connection.end();
        else this.close();
        options.over();
      },
    };
  }

  /** Breaks off both sides. */
  close(): void {
    this.connection.abort();
    this.#breakOff();
  }

  /** Breaks off the host's side without a word to the guest. */
  drop(): void {
    this.connection.drop();
    this.#breakOff();
  }

  #received(bytes: Uint8Array): void {
    if (this.socket) this.socket.write(bytes, () => this.connection.consumed(bytes.length));
    else this.connection.abort(); // nobody is there to read it
  }

  #acknowledged(): void {
    if (!this.#isPaused || this.connection.unsent > LOW) return;
    this.#isPaused = false;
    this.socket?.resume();
  }

  #breakOff(): void {
    this.socket?.reset();
    this.socket = null;
  }
}
