/** A kernel image, or what goes with it, that cannot be booted. `problem` is a sentence without its end. */
export class KernelImageError extends Error {
  override readonly name = "KernelImageError";
  constructor(
    readonly problem: string,
    readonly remedy?: string,
  ) {
    super(remedy === undefined ? problem : `${problem}. ${remedy}`);
  }
}
