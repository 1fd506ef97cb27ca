/** A capture file of the host: each frame is in it as soon as it passed, so that a killed run leaves it whole. */
import { closeSync, openSync, writeSync } from "node:fs";
import { fileProblem } from "../file-problem.ts";

export class CaptureFileError extends Error {
  override readonly name = "CaptureFileError";
}

export class CaptureFile {
  readonly #descriptor: number;
  #failure: Error | null = null;

  /** Begins the file anew; throws a `CaptureFileError` with a sentence if that cannot be. */
  constructor(
    readonly path: string,
    private readonly complain: (sentence: string) => void = () => {},
  ) {
    try {
      this.#descriptor = openSync(path, "w");
    } catch (cause) {
      throw new CaptureFileError(`the capture file ${path}: ${fileProblem(cause)}`, { cause });
    }
  }

  /** Appends whole blocks. A full disk ends the capture with a sentence, not the machine. */
  readonly write = (bytes: Uint8Array): void => {
    if (this.#failure) return;
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
    } catch (error) {
      this.#failure = error as Error;
      this.complain(`the capture to ${this.path} ends here: ${this.#failure.message}`);
    }
  };

  close(): void {
    closeSync(this.#descriptor);
  }
}
