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

const [BEL, BACKSPACE, ESCAPE, DELETE] = [7, 8, 27, 127].map(code => String.fromCharCode(code));
/** Control sequences, titles, and the short ones. Source: ECMA-48, 5.4, 8.3.89 (OSC). */
const SEQUENCES = new RegExp(
  `${ESCAPE}\\[[\\d;?]*[ -/]*[@-~]|${ESCAPE}\\][^${BEL}${ESCAPE}]*(${BEL}|${ESCAPE}\\\\)|${ESCAPE}[@-Z\\\\^_]`,
  "g",
);
/** A line editor takes back what it wrote. */
const TAKEN_BACK = new RegExp(`[^\n]${BACKSPACE}( ${BACKSPACE})?`, "g");

/** Text without what only a terminal understands; of control characters, tabs and line ends stay. */
export function plainText(text: string): string {
  const isShown = (character: string) =>
    character === "\n" || character === "\t" || (character >= " " && character !== DELETE);
  return [...text.replace(SEQUENCES, "").replace(TAKEN_BACK, "")].filter(isShown).join("");
}
