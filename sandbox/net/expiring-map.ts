/** A table whose entries go when they were not used for a time, or to make room for others. */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";

interface Entry<V> {
  readonly value: V;
  usedAt: number;
}

export interface ExpiringMapOptions<V> {
  readonly clock: Clock;
  /** Nanoseconds after its last use that an entry stays. */
  readonly lifetime: number;
  readonly limit: number;
  /** An entry went, but for `clear`. */
  readonly gone: (value: V) => void;
}

export class ExpiringMap<K, V> {
  /** The least recently used first. */
  readonly #entries = new Map<K, Entry<V>>();
  readonly #options: ExpiringMapOptions<V>;
  #cancelTimer: (() => void) | null = null;

  constructor(options: ExpiringMapOptions<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value of `key`, which is thereby used. */
  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    entry.usedAt = this.#options.clock.now();
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    if (this.#entries.size === this.#options.limit) {
      const [oldest] = this.#entries.keys();
      this.delete(oldest as K);
    }
    this.#entries.set(key, { value, usedAt: this.#options.clock.now() });
    this.#plan();
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#options.gone(entry.value);
  }

  values(): V[] {
    return Array.from(this.#entries.values(), ({ value }) => value);
  }

  clear(): void {
    this.#entries.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #plan(): void {
    const [oldest] = this.#entries.values();
    if (!oldest || this.#cancelTimer) return;
    const { clock, lifetime } = this.#options;
    this.#cancelTimer = clock.schedule(oldest.usedAt + lifetime, () => {
      this.#cancelTimer = null;
      for (const [key, { usedAt }] of this.#entries) {
        if (usedAt + lifetime > clock.now()) break;
        this.delete(key);
      }
      this.#plan();
    });
  }
}
