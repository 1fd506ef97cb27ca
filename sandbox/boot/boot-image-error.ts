/** An image that a loader refuses. `problem` is a sentence without its end. */
export class BootImageError extends Error {
  override readonly name = "BootImageError";
  constructor(
    readonly image: string,
    readonly problem: string,
    readonly remedy?: string,
  ) {
    super(`${image}: ${problem}${remedy === undefined ? "" : `. ${remedy}`}`);
  }
}
