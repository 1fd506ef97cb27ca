// Given: this file of the layer has no exercises.
// Generated from solutions/05-pit/alarm.ts by `npm run starters` (af35efe8).
/**
 * An alarm: the one call that a device has asked of the clock. Setting it again forgets the earlier call,
 * and its time is plain data, so a device can save it and set it again after a restore.
 */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";

export class Alarm {
  #at: number | null = null;
  #cancel: () => void = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly ring: () => void,
  ) {}

  /** When it rings, in nanoseconds of guest time; null while it is not set. */
  get at(): number | null {
    return this.#at;
  }

  set(at: number | null): void {
    this.#cancel();
    this.#at = at;
    this.#cancel = () => {};
    if (at === null) return;
    this.#cancel = this.clock.schedule(at, () => {
      this.#at = null;
      this.ring();
    });
  }
}
