/** How long to wait for an acknowledgment. Source: RFC 6298; times in nanoseconds. */
const FIRST = 1e9;
const SHORTEST = 1e9;
const LONGEST = 60e9;

export class RetransmissionTimeout {
  #smoothed: number | null = null;
  #variation = 0;
  #timeout = FIRST;

  get nanoseconds(): number {
    return this.#timeout;
  }

  /** A segment that was sent once was acknowledged after `roundTrip` (2.2, 2.3). */
  measured(roundTrip: number): void {
    if (this.#smoothed === null) {
      this.#smoothed = roundTrip;
      this.#variation = roundTrip / 2;
    } else {
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - roundTrip);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * roundTrip;
    }
    this.#timeout = Math.min(Math.max(this.#smoothed + 4 * this.#variation, SHORTEST), LONGEST);
  }

  /** It was in vain: wait twice as long (5.5). */
  backOff(): void {
    this.#timeout = Math.min(2 * this.#timeout, LONGEST);
  }
}
