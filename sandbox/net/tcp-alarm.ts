/** The two times that a TCP connection waits for, on one timer: one that comes too early looks again. */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";

const NEVER = Number.POSITIVE_INFINITY;

export interface TcpAlarmEvents {
  /** What came is to be acknowledged. */
  acknowledge(): void;
  /** It was waited long enough. */
  timedOut(): void;
}

export class TcpAlarm {
  /** When what came is acknowledged at the latest. */
  #acknowledgeAt = NEVER;
  #timeoutAt = NEVER;
  #timerAt = NEVER;
  #cancel: () => void = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly events: TcpAlarmEvents,
  ) {}

  get isWaiting(): boolean {
    return this.#timeoutAt !== NEVER;
  }

  /** Waits so many nanoseconds from now on; the timer is set by `arm`. */
  waitFor(nanoseconds: number): void {
    this.#timeoutAt = this.clock.now() + nanoseconds;
  }

  waitNoMore(): void {
    this.#timeoutAt = NEVER;
  }

  /** Acknowledges in so many nanoseconds, unless that is planned already. */
  acknowledgeIn(nanoseconds: number): void {
    if (this.#acknowledgeAt === NEVER) this.#acknowledgeAt = this.clock.now() + nanoseconds;
  }

  acknowledged(): void {
    this.#acknowledgeAt = NEVER;
  }

  arm(): void {
    const earliest = Math.min(this.#timeoutAt, this.#acknowledgeAt);
    if (earliest >= this.#timerAt) return;
    this.#cancel();
    this.#timerAt = earliest;
    this.#cancel = this.clock.schedule(earliest, () => this.#ring());
  }

  #ring(): void {
    this.#timerAt = NEVER;
    this.#cancel = () => {};
    const now = this.clock.now();
    if (this.#acknowledgeAt <= now) this.events.acknowledge();
    if (this.#timeoutAt <= now) this.events.timedOut();
    this.arm();
  }

  stop(): void {
    this.#timeoutAt = this.#acknowledgeAt = this.#timerAt = NEVER;
    this.#cancel();
    this.#cancel = () => {};
  }
}
