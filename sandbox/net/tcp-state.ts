/** The states of a TCP connection, and what leads from one to the next. Source: RFC 9293, 3.3.2, figure 5. */

export type TcpState =
  /** The guest's SYN is here; whether it is answered depends on the host. */
  | "opening"
  | "syn-sent"
  | "syn-received"
  | "established"
  | "fin-wait-1"
  | "fin-wait-2"
  | "close-wait"
  | "closing"
  | "last-ack"
  | "time-wait"
  | "closed";

/** Data and FIN may be sent, or sent again. */
export const SENDS: ReadonlySet<TcpState> = new Set<TcpState>([
  "established",
  "close-wait",
  "fin-wait-1",
  "closing",
  "last-ack",
]);

/** Data may still come. */
export const RECEIVES: ReadonlySet<TcpState> = new Set<TcpState>(["established", "fin-wait-1", "fin-wait-2"]);

type Transitions = Readonly<Partial<Record<TcpState, TcpState>>>;

export const FIN_SENT: Transitions = { established: "fin-wait-1", "close-wait": "last-ack" };

export const FIN_ACKNOWLEDGED: Transitions = {
  "fin-wait-1": "fin-wait-2",
  closing: "time-wait",
  "last-ack": "closed",
};

export const FIN_RECEIVED: Transitions = {
  established: "close-wait",
  "fin-wait-1": "closing",
  "fin-wait-2": "time-wait",
};
