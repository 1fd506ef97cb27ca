/**
 * The ACPI tables of the machine: what it has that an operating system cannot find by looking, foremost how
 * to switch it off.
 *
 *     RSDP ─┬─ RSDT ─┬─ FADT ─┬─ DSDT    devices, interrupts of the PCI slots, the sleep state "off"
 *           └─ XSDT ─┘        └─ FACS    shared memory with firmware, of which there is none
 *
 * There is no MADT: the interrupt controllers are the pair of 8259A that every PC is known to have.
 *
 * Source: ACPI Specification 6.5, 5.2 "ACPI System Description Tables"; the FADT is that of revision 3.
 */
import { type Aml, little } from "./acpi-aml.ts";

/** Ports of the power management registers, as PIIX4 firmware places them (devices/acpi-power.ts). */
export const ACPI_PORTS = 0x600;
export const ACPI_PORT_COUNT = 12;
const PM1_EVENT = ACPI_PORTS;
const PM1_CONTROL = ACPI_PORTS + 4;
const PM_TIMER = ACPI_PORTS + 8;

/** The system control interrupt, level triggered. */
export const SCI = 9;

const HEADER_SIZE = 36;
const FADT_SIZE = 244;
const FACS_SIZE = 64;

/** Fixed feature flags. */
const WBINVD = 1 << 0;
const PROC_C1 = 1 << 2;
const NO_FIXED_POWER_BUTTON = 1 << 4;
const NO_FIXED_SLEEP_BUTTON = 1 << 5;
const NO_FIXED_RTC_WAKE = 1 << 6;
const TIMER_32_BITS = 1 << 8;
const RESET_REGISTER = 1 << 10;

/** What there is of a PC of old. */
const LEGACY_DEVICES = 1 << 0;
const KEYBOARD_CONTROLLER = 1 << 1;
const NO_VGA = 1 << 2;
const NO_MSI = 1 << 3;

/** Reset control, port 0xcf9: a hard reset. */
const RESET_PORT = 0xcf9;
const RESET_VALUE = 0b0110;

/** Where CMOS memory has the century. */
const CENTURY = 0x32;
/** Longer than any kernel would wait: there are no such states of the processor. */
const NO_C2 = 0x0fff;
const NO_C3 = 0xffff;

/**
 * All tables as they lie in memory from `address` on, which is a multiple of 64 and, for a kernel to find
 * them, of 16 within 0xe_0000 to 0xf_ffff: the RSDP comes first. `dsdt` is the AML of the DSDT.
 */
export function acpiTables(address: number, dsdt: Aml): Uint8Array {
  const facsAt = address + 64;
  const rsdtAt = facsAt + FACS_SIZE;
  const xsdtAt = rsdtAt + HEADER_SIZE + 4;
  const fadtAt = align(xsdtAt + HEADER_SIZE + 8);
  const dsdtAt = align(fadtAt + FADT_SIZE);
  const placed: readonly (readonly [number, readonly number[]])[] = [
    [address, rootPointer(rsdtAt, xsdtAt)],
    [facsAt, sharedMemory()],
    [rsdtAt, table("RSDT", 1, little(fadtAt, 4))],
    [xsdtAt, table("XSDT", 1, little(fadtAt, 8))],
    [fadtAt, fixedDescription(facsAt, dsdtAt)],
    [dsdtAt, table("DSDT", 2, dsdt)],
  ];
  const bytes = new Uint8Array(dsdtAt + HEADER_SIZE + dsdt.length - address);
  for (const [at, content] of placed) bytes.set(content, at - address);
  return bytes;
}

function align(address: number): number {
  return Math.ceil(address / 16) * 16;
}

// #region root
/** RSDP (5.2.5.3): the first 20 bytes have a sum of their own, from before there was an XSDT. */
function rootPointer(rsdt: number, xsdt: number): number[] {
  const bytes = [...ascii("RSD PTR "), 0, ...ascii("VMEXIT"), 2, ...little(rsdt, 4)];
  bytes[8] = checksum(bytes);
  bytes.push(...little(36, 4), ...little(xsdt, 8), 0, 0, 0, 0);
  bytes[32] = checksum(bytes);
  return bytes;
}
// #endregion root

/** A table with its header (5.2.6). */
function table(signature: string, revision: number, body: readonly number[]): number[] {
  const bytes = [
    ...ascii(signature),
    ...little(HEADER_SIZE + body.length, 4),
    revision,
    0,
    ...ascii("VMEXIT"),
    ...ascii("MACHINE "),
    ...little(1, 4),
    ...ascii("VMEX"),
    ...little(1, 4),
    ...body,
  ];
  bytes[9] = checksum(bytes);
  return bytes;
}

/** FACS (5.2.10). */
function sharedMemory(): number[] {
  const bytes = new Array<number>(FACS_SIZE).fill(0);
  bytes.splice(0, 8, ...ascii("FACS"), ...little(FACS_SIZE, 4));
  bytes[32] = 1; // version
  return bytes;
}

// #region fadt
/** FADT (5.2.9). Register blocks stand in it twice: as port numbers, and as addresses of any space. */
function fixedDescription(facs: number, dsdt: number): number[] {
  const body = new Uint8Array(FADT_SIZE - HEADER_SIZE);
  const put = (offset: number, size: number, value: number) =>
    body.set(little(value, size), offset - HEADER_SIZE);
  /** A generic address structure (5.2.3.2) of the space "system I/O". */
  const putPorts = (offset: number, port: number, bytes: number, accessSize: number) => {
    put(offset, 4, 1 | ((8 * bytes) << 8) | (accessSize << 24));
    put(offset + 4, 8, port);
  };
  put(36, 4, facs);
  put(40, 4, dsdt);
  put(46, 2, SCI);
  // No SMI command port: the hardware is in ACPI mode and stays in it (4.8.3.2).
  put(56, 4, PM1_EVENT);
  put(64, 4, PM1_CONTROL);
  put(76, 4, PM_TIMER);
  put(88, 1, 4);
  put(89, 1, 2);
  put(91, 1, 4);
  put(96, 2, NO_C2);
  put(98, 2, NO_C3);
  put(108, 1, CENTURY);
  put(109, 2, LEGACY_DEVICES | KEYBOARD_CONTROLLER | NO_VGA | NO_MSI);
  put(
    112,
    4,
    WBINVD |
      PROC_C1 |
      NO_FIXED_POWER_BUTTON |
      NO_FIXED_SLEEP_BUTTON |
      NO_FIXED_RTC_WAKE |
      TIMER_32_BITS |
      RESET_REGISTER,
  );
  putPorts(116, RESET_PORT, 1, 1);
  put(128, 1, RESET_VALUE);
  put(132, 8, facs);
  put(140, 8, dsdt);
  putPorts(148, PM1_EVENT, 4, 2);
  putPorts(172, PM1_CONTROL, 2, 2);
  putPorts(208, PM_TIMER, 4, 3);
  return table("FACP", 3, [...body]);
}
// #endregion fadt

/** What makes the sum of all bytes 0, modulo 256. */
function checksum(bytes: readonly number[]): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

function ascii(characters: string): number[] {
  return [...new TextEncoder().encode(characters)];
}
