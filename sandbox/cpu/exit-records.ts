/** The exits that have no data, and those that a vCPU fills in anew each time; see `device-access.ts` for the others. */
import type {
  DebugExit,
  HltExit,
  InternalErrorExit,
  IntrExit,
  IrqWindowExit,
  ShutdownExit,
} from "../kvm/api.ts";

export const HALT: HltExit = { reason: "HLT" };
export const WINDOW_OPEN: IrqWindowExit = { reason: "IRQ_WINDOW_OPEN" };
export const SHUT_DOWN: ShutdownExit = { reason: "SHUTDOWN" };
export const INTERRUPTED = {
  budget: { reason: "INTR", cause: "budget" } satisfies IntrExit as IntrExit,
  kick: { reason: "INTR", cause: "kick" } satisfies IntrExit as IntrExit,
};

export class DebugRecord implements DebugExit {
  readonly reason = "DEBUG";
  exception = 1;
  pc = 0n;
  dr6 = 0n;
  dr7 = 0n;

  set(exception: number, pc: number, dr6: number, dr7: number): void {
    this.exception = exception;
    this.pc = BigInt(pc >>> 0);
    this.dr6 = BigInt(dr6 >>> 0);
    this.dr7 = BigInt(dr7 >>> 0);
  }
}

export class ErrorRecord implements InternalErrorExit {
  readonly reason = "INTERNAL_ERROR";
  /** KVM_INTERNAL_ERROR_EMULATION. */
  readonly suberror = 1;
  pc = 0n;
  instruction: Uint8Array = new Uint8Array();
  message = "";

  set(pc: number, instruction: Uint8Array, problem: string): void {
    this.pc = BigInt(pc >>> 0);
    this.instruction = instruction;
    const bytes = [...instruction].map(byte => byte.toString(16).padStart(2, "0")).join(" ");
    this.message = `${problem}, at 0x${(pc >>> 0).toString(16)}${bytes === "" ? "" : ` (bytes ${bytes})`}`;
  }
}
