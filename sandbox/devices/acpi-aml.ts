/**
 * An assembler for AML, the byte code in which ACPI describes devices: small functions that each return the
 * bytes of one term, to be nested as the terms are.
 *
 * Source: ACPI Specification 6.5, 20.2 "AML Grammar Definition", and 6.4 "Resource Data Types for ACPI".
 */

/** Encoded AML. */
export type Aml = readonly number[];

// #region terms
/** `Scope (\_SB) { … }`. */
export function scope(name: string, ...terms: readonly Aml[]): Aml {
  return [0x10, ...withLength([...nameString(name), ...terms.flat()])];
}

/** `Device (PCI0) { … }`. */
export function device(name: string, ...terms: readonly Aml[]): Aml {
  return [0x5b, 0x82, ...withLength([...nameString(name), ...terms.flat()])];
}

/** `Name (_UID, 1)`; `value` is the AML of an object. */
export function name(called: string, value: Aml): Aml {
  return [0x08, ...nameString(called), ...value];
}
// #endregion terms

// #region objects
/** An unsigned number of up to 32 bits, in the shortest form. */
export function integer(value: number): Aml {
  if (value === 0 || value === 1) return [value]; // ZeroOp, OneOp
  if (value < 0x100) return [0x0a, value];
  return value < 0x1_0000 ? [0x0b, ...little(value, 2)] : [0x0c, ...little(value, 4)];
}

/** At most 255 elements. */
export function packageOf(...elements: readonly Aml[]): Aml {
  return [0x12, ...withLength([elements.length, ...elements.flat()])];
}

export function text(value: string): Aml {
  return [0x0d, ...new TextEncoder().encode(value), 0];
}

/** The number that stands for an EISA ID such as `PNP0A03`: three letters in 5 bits each, four hex digits. */
export function eisaId(id: string): Aml {
  const [a, b, c] = [0, 1, 2].map(at => id.charCodeAt(at) - 0x40);
  const letters = (a! << 10) | (b! << 5) | c!;
  const digits = Number.parseInt(id.slice(3), 16);
  // The standard stores this number with its first byte lowest, as a string would lie in memory.
  return [0x0c, letters >> 8, letters & 0xff, digits >> 8, digits & 0xff];
}
// #endregion objects

// #region resources
/** `ResourceTemplate () { … }`: a buffer of resource descriptors, for `_CRS`. */
export function resources(...descriptors: readonly Aml[]): Aml {
  const bytes = [...descriptors.flat(), 0x79, 0]; // end tag, its checksum left out as 0 allows
  return [0x11, ...withLength([...integer(bytes.length), ...bytes])];
}

/** `IO (Decode16, …)`: a fixed range of ports. */
export function ioPorts(start: number, length: number): Aml {
  return [0x47, 1, ...little(start, 2), ...little(start, 2), 1, length];
}

/** `IRQNoFlags () {irq}`: an interrupt of the ISA kind, edge triggered and active high. */
export function isaInterrupt(irq: number): Aml {
  return [0x22, ...little(1 << irq, 2)];
}

/** `Memory32Fixed (ReadWrite, …)`. */
export function fixedMemory(start: number, length: number): Aml {
  return [0x86, ...little(9, 2), 1, ...little(start, 4), ...little(length, 4)];
}

/** `WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, …)`: the PCI buses behind a bridge. */
export function busNumbers(first: number, last: number): Aml {
  const words = [0, first, last, 0, last - first + 1];
  return [0x88, ...little(13, 2), 2, RANGE_FIXED, 0, ...words.flatMap(word => little(word, 2))];
}

/** `DWordMemory (ResourceProducer, …, NonCacheable, ReadWrite, …)`: memory that a bridge passes on. */
export function memoryWindow(start: number, length: number): Aml {
  const words = [0, start, start + length - 1, 0, length];
  return [0x87, ...little(23, 2), 0, RANGE_FIXED, 1, ...words.flatMap(word => little(word, 4))];
}

/** General flags of an address space: both ends are fixed, and the bridge produces it for others. */
const RANGE_FIXED = 0b1100;
// #endregion resources

/** Little endian. */
export function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, at) => Math.floor(value / 2 ** (8 * at)) & 0xff);
}

/** `PkgLength` and the bytes that it counts; it counts its own as well (20.2.4). */
function withLength(bytes: Aml): Aml {
  if (bytes.length + 1 < 0x40) return [bytes.length + 1, ...bytes];
  const more = bytes.length + 2 < 0x1000 ? 1 : 2;
  const total = bytes.length + 1 + more;
  return [(more << 6) | (total & 0xf), ...little(Math.floor(total / 16), more), ...bytes];
}

/** One name, or a path from the root of at most two; short names are filled up with underscores. */
function nameString(path: string): Aml {
  const isRooted = path.startsWith("\\");
  const segments = (isRooted ? path.slice(1) : path).split(".");
  const bytes = segments.flatMap(segment => [...new TextEncoder().encode(segment.padEnd(4, "_"))]);
  return [...(isRooted ? [0x5c] : []), ...(segments.length === 2 ? [0x2e] : []), ...bytes];
}
