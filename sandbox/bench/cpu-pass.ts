/** Reads what the guest sends in one pass over its rows, and takes the time of each (see guest/main.c). */

export interface RowRun {
  readonly seconds: number;
  /** Eight hexadecimal digits. */
  readonly checksum: string;
  /** Of the guest's time-stamp counter. */
  readonly ticks: number;
}

/** By the row's name, in the guest's order. */
export type Pass = Readonly<Record<string, RowRun>>;

const BEGINS = 0x3c; // "<"
const NEW_LINE = 0x0a;
const LINE = /^(\S+) <([0-9a-f]{8}) ([0-9a-f]{16})>$/;

export class PassReader {
  readonly #rows: Record<string, RowRun> = {};
  #line = "";
  #began = 0;
  #ended = 0;
  #isDone = false;

  /** A byte of the serial line, when it comes. `now` is in milliseconds. */
  take(byte: number, now = performance.now()): void {
    if (byte === NEW_LINE) {
      this.#takeLine(this.#line);
      this.#line = "";
      return;
    }
    if (this.#began !== 0 && this.#ended === 0) this.#ended = now;
    this.#line += String.fromCharCode(byte);
    // The clock starts when the guest can go on: after everything that its byte brings about here.
    if (byte === BEGINS) this.#began = now;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get result(): Pass {
    return this.#rows;
  }

  #takeLine(line: string): void {
    const [, name, checksum, ticks] = LINE.exec(line) ?? [];
    if (name !== undefined && checksum !== undefined) {
      const seconds = (this.#ended - this.#began) / 1000;
      this.#rows[name] = { seconds, checksum, ticks: Number(`0x${ticks}`) };
    }
    this.#began = 0;
    this.#ended = 0;
    this.#isDone ||= line === "end";
  }
}
