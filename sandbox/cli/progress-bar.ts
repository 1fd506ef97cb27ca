/** A bar in one line of the terminal; in a pipe, a line a quarter. */
const WIDTH = 30;
const MIB = 0x10_0000;

export class ProgressBar {
  #quarter = -1;

  show(what: string, done: number, total: number): void {
    const part = total === 0 ? 1 : done / total;
    const amounts = `${(done / MIB).toFixed(1)} of ${(total / MIB).toFixed(1)} MiB`;
    if (process.stderr.isTTY) {
      const bar = "█".repeat(Math.round(part * WIDTH)).padEnd(WIDTH, "░");
      process.stderr.write(`\r${bar} ${amounts}  ${what}\x1b[K${part === 1 ? "\n" : ""}`);
      return;
    }
    const quarter = Math.floor(part * 4);
    if (quarter !== this.#quarter) process.stderr.write(`${what}: ${amounts}\n`);
    this.#quarter = quarter;
  }
}
