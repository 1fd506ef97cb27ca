/**
 * The exit log: one line an exit, the same in the terminal, the book and the page.
 *
 *     #1   IO     out    0x03f8       1 byte   34                       "4"
 *     #2   MMIO   write  0x0000_d000  4 bytes  78 56 34 12              "xV4\x12"
 *     #3   HLT
 *
 * Columns: number, reason, direction, port or guest-physical address, size (items × bytes for a REP),
 * the bytes in the order of memory, and the same as text where that is readable.
 */
import type { Exit } from "../../sandbox/kvm/api.ts";

/** Bytes that fit in the line; the rest is counted. */
const SHOWN_BYTES = 8;

/** Copies an exit out of the record that the vCPU owns and will overwrite: its own fields, no others. */
export function copyExit(exit: Exit): Exit {
  switch (exit.reason) {
    case "IO": {
      const { reason, direction, size, port, count } = exit;
      return { reason, direction, size, port, count, data: exit.data.slice(0, count * size) };
    }
    case "MMIO": {
      const { reason, address, isWrite, length } = exit;
      return { reason, address, isWrite, length, data: exit.data.slice(0, length) };
    }
    case "DEBUG": {
      const { reason, exception, pc, dr6, dr7 } = exit;
      return { reason, exception, pc, dr6, dr7 };
    }
    case "INTERNAL_ERROR": {
      const { reason, suberror, pc, instruction, message } = exit;
      return { reason, suberror, pc, instruction: instruction.slice(), message };
    }
    case "FAIL_ENTRY":
      return { reason: exit.reason, hardwareReason: exit.hardwareReason };
    case "INTR":
      return { reason: exit.reason, cause: exit.cause };
    case "UNKNOWN":
      return { reason: exit.reason, code: exit.code, hardwareReason: exit.hardwareReason };
    default:
      return { reason: exit.reason };
  }
}

/** One line of the exit log, without a line end. `number` counts from 1. */
export function exitLine(number: number, exit: Exit): string {
  return `${`#${number}`.padEnd(4)} ${columns(exit)}`.trimEnd();
}

function columns(exit: Exit): string {
  switch (exit.reason) {
    case "IO": {
      const items = exit.count === 1 ? bytes(exit.size) : `${exit.count}×${bytes(exit.size)}`;
      const data = exit.data.subarray(0, exit.count * exit.size);
      return access("IO", exit.direction, hex(exit.port, 4), items, data);
    }
    case "MMIO": {
      const direction = exit.isWrite ? "write" : "read";
      const data = exit.data.subarray(0, exit.length);
      return access("MMIO", direction, hex(exit.address, 8), bytes(exit.length), data);
    }
    case "DEBUG":
      return line(
        "DEBUG",
        `${exit.exception === 3 ? "#BP" : "#DB"} at ${hex(exit.pc, 8)}, dr6 ${hex(exit.dr6, 8)}`,
      );
    case "INTR":
      return line("INTR", INTERRUPTED[exit.cause]);
    case "SHUTDOWN":
      return line("SHUTDOWN", "triple fault");
    case "FAIL_ENTRY":
      return line("FAIL_ENTRY", `the processor refused this state, reason ${hex(exit.hardwareReason, 8)}`);
    case "INTERNAL_ERROR":
      return line("INTERNAL_ERROR", exit.message);
    case "UNKNOWN":
      return line("UNKNOWN", `KVM_EXIT ${exit.code}, hardware reason ${hex(exit.hardwareReason, 8)}`);
    default:
      return exit.reason;
  }
}

const INTERRUPTED = {
  budget: "the run's budget is spent",
  kick: "kicked from outside",
  signal: "a signal arrived",
} as const;

function access(reason: string, direction: string, address: string, size: string, data: Uint8Array): string {
  const shown = hexBytes(data.subarray(0, SHOWN_BYTES));
  const more = data.length > SHOWN_BYTES ? " …" : "";
  const where = `${direction.padEnd(7)}${address.padEnd(12)} ${size.padEnd(10)} `;
  return `${reason.padEnd(7)}${where}${(shown + more).padEnd(SHOWN_BYTES * 3 + 3)}${quoted(data)}`;
}

function line(reason: string, rest: string): string {
  return `${reason.padEnd(6)} ${rest}`;
}

function bytes(count: number): string {
  return count === 1 ? "1 byte" : `${count} bytes`;
}

/** Bytes as text in quotes, if at least one is printable and none is odd; else nothing. */
function quoted(data: Uint8Array): string {
  const readable = data.every(byte => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d);
  return readable && data.length > 0 ? JSON.stringify(String.fromCharCode(...data)) : "";
}

/** Two hex digits a byte, in the order of memory. */
export function hexBytes(data: Uint8Array): string {
  return Array.from(data, byte => byte.toString(16).padStart(2, "0")).join(" ");
}

/** A number as hex with `_` every four digits. */
export function hex(value: number | bigint, digits: number): string {
  const text = BigInt(value).toString(16).padStart(digits, "0");
  return `0x${text.replace(/\B(?=(.{4})+$)/g, "_")}`;
}
