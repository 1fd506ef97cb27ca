/**
 * How an instruction is left before its end. Both are thrown, and preallocated by the processor, because
 * the path that throws must not allocate; neither is an Error, because nobody reads a stack of theirs.
 */

/** An exception of the guest: a fault of the instruction, or of the delivery of another one. */
export class Fault {
  vector = 0;
  hasErrorCode = false;
  errorCode = 0;
}

/** The instruction needs the VMM: the vCPU's exit record says what for. It starts again from its beginning. */
export class ExitInside {}

/** An instruction of the real processor that this one does not have. Ends in INTERNAL_ERROR. */
export class Unimplemented {
  message = "";
}

/** A triple fault. */
export class TripleFault {}

/** Vectors that push an error code (SDM vol. 3A, table 6-1): 8, 10 to 14, 17. */
export const ERROR_CODE_VECTORS = 0x0002_7d00;
