/**
 * Who may touch which port: IOPL, and the I/O permission bit map in the TSS.
 *
 * Source: SDM vol. 1, 18.5 "Protected-Mode I/O".
 */
import * as descriptors from "#layers/03-paging/descriptors.ts";
import type { Cpu } from "../cpu.ts";
import * as state from "../state.ts";

// V8 folds a module's own constants into the code; imported ones it reads each time.
const { SYSTEM32 } = descriptors;
const { ACCESS, BASE, CPL, GENERAL_PROTECTION, IOPL, LIMIT, SYSTEM_FLAGS, TR } = state;

const TSS32_IO_MAP_BASE = 0x66;

/** Raises #GP(0) unless the program may access `size` bytes at `port`; notes breakpoints that it hits. */
export function requirePort(cpu: Cpu, port: number, size: number): void {
  requirePermission(cpu, port, size);
  const { breakpoints } = cpu.system;
  if (breakpoints.watchesPorts) cpu.dataHits |= breakpoints.hitByPort(port, size);
}

function requirePermission(cpu: Cpu, port: number, size: number): void {
  if (!cpu.isProtected) return;
  const ioPrivilege = (cpu.r32[SYSTEM_FLAGS] & IOPL) >>> 12;
  if (!cpu.isVirtual8086 && cpu.r32[CPL] <= ioPrivilege) return;
  if (!isAllowedByMap(cpu, port, size)) cpu.fault(GENERAL_PROTECTION, 0);
}

/** A clear bit allows a port. Two bytes are read, since an access may reach over the end of one. */
function isAllowedByMap(cpu: Cpu, port: number, size: number): boolean {
  const r = cpu.r32;
  const limit = r[LIMIT + TR] >>> 0;
  if ((r[ACCESS + TR] & SYSTEM32) === 0 || limit < TSS32_IO_MAP_BASE + 1) return false;
  const map = cpu.readSystem16((r[BASE + TR] + TSS32_IO_MAP_BASE) | 0);
  const offset = map + (port >>> 3);
  if (offset + 1 > limit) return false;
  const bits = cpu.readSystem16((r[BASE + TR] + offset) | 0) >>> (port & 7);
  return (bits & ((1 << size) - 1)) === 0;
}
