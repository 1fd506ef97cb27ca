/**
 * A page walk as lines of text: each entry with its address, its value, its flags and what it decided.
 *
 *     walk of 0xc000_0004 to read, 2-level
 *       PDE    at 0x0001_0c00  0x0001_3023  P R/W A    leads to a table
 *       PTE    at 0x0001_3000  0x0000_9063  P R/W A D  maps the page
 *       physical 0x0000_9004, in a page of 4 KiB
 */
import type { NestedReport, NestedStep, WalkReport, WalkStep } from "#layers/03-paging/steps.ts";
import { hex } from "../tools/exit-log.ts";

export function walkLines(
  { linear, mode, steps, physical, pageSize, errorCode, errorBits }: WalkReport,
  to: string,
): string[] {
  return [
    `walk of ${hex(linear, 8)} to ${to}, ${mode}`,
    ...steps.map(step => `  ${stepLine(step, mode === "2-level" ? 8 : 12)}`),
    physical === null
      ? `  #PF, error code ${hex(errorCode, 4)}: ${errorBits.join(", ")}`
      : `  physical ${hex(physical, 8)}, in a page of ${pageSize / 1024} KiB`,
  ];
}

/** Each of the guest's entries stands behind the entries that translate its address. */
export function nestedLines(
  { linear, steps, physical, errorCode, exit }: NestedReport,
  to: string,
): string[] {
  return [
    `walk of ${hex(linear, 12)} to ${to}, in two dimensions`,
    ...steps.map((step, at) => `  ${`${at + 1}`.padStart(2)}  ${nestedLine(step)}`),
    exit
      ? `  VM exit: ${exit.reason} at guest-physical ${hex(exit.guestPhysical, 8)}, qualification ${hex(Number(exit.qualification), 4)}`
      : physical === null
        ? `  #PF in the guest, error code ${hex(errorCode, 4)}`
        : `  host-physical ${hex(physical, 8)}, after ${steps.length} references`,
  ];
}

function nestedLine(step: NestedStep): string {
  return `${step.dimension === "guest" ? "guest " : `  ${step.dimension} `}${stepLine(step, 12)}`;
}

/** Bits 63:48 of a wide entry are shown only where one is set. */
function stepLine({ name, address, value, bits, decision }: WalkStep, digits: number): string {
  const where = address === null ? "in a register " : `at ${hex(address, 8)}`;
  return `${name.padEnd(6)} ${where}  ${hex(value, value >> 48n ? 16 : digits)}  ${bits.join(" ").padEnd(9)}  ${decision}`;
}
