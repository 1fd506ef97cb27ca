// Given: this file of the layer has no exercises.
// Generated from solutions/08-linux/kernel-image-error.ts by `npm run starters` (48708d7f).
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
