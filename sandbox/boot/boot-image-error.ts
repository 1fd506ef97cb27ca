import { KernelImageError } from "#layers/08-linux/kernel-image-error.ts";

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

/** Does something with a file's bytes. The layer knows what is wrong with them; which file it is is known here. */
export function aboutFile<Result>(name: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof KernelImageError ? new BootImageError(name, error.problem, error.remedy) : error;
  }
}
