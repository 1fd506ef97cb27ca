/** What a machine has written to its terminal: kept for one that opens late, told to those that are open. */

/** Bytes that are kept. */
const KEPT = 2 ** 16;

export class Screen {
  #chunks: Uint8Array[] = [];
  #length = 0;
  readonly #viewers = new Set<ScreenViewer>();

  write(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    while (this.#length - this.#chunks[0]!.length > KEPT) this.#length -= this.#chunks.shift()!.length;
    for (const viewer of this.#viewers) viewer.write(bytes);
  }

  clear(): void {
    this.#chunks = [];
    this.#length = 0;
    for (const viewer of this.#viewers) viewer.clear();
  }

  /** Shows what is kept, and what comes from now on, until the function returned is called. */
  open(viewer: ScreenViewer): () => void {
    for (const bytes of this.#chunks) viewer.write(bytes);
    this.#viewers.add(viewer);
    return () => this.#viewers.delete(viewer);
  }

  /** The end of the text, without the sequences that only a terminal understands. */
  text(most: number): string {
    const bytes = this.#chunks.flatMap(chunk => [...chunk]).slice(-2 * most);
    return plainText(new TextDecoder().decode(Uint8Array.from(bytes))).slice(-most);
  }

  /** All that is kept. */
  bytes(): Uint8Array {
    return Uint8Array.from(this.#chunks.flatMap(chunk => [...chunk]));
  }
}

export interface ScreenViewer {
  write(bytes: Uint8Array): void;
  clear(): void;
}

/** Source: ECMA-48, 5.4 (control sequences), 8.3.89 (OSC). */
export function plainText(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
      .replace(/\x1b\[[\d;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[@-Z\\^_]/g, "")
      // A line editor takes back what it wrote.
      .replace(/[^\n]\x08( \x08)?/g, "")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the same
      .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "")
  );
}
