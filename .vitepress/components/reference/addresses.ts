/** Addresses as the book writes them. */

/** Hex with at least `digits` digits, `_` every four: `0xd000_0000`. */
export function hex(value: number, digits: number): string {
  const text = value.toString(16).padStart(digits, "0");
  return `0x${text.replace(/(?=(?:.{4})+$)(?<!^)/g, "_")}`;
}

/** First and last address of a range, or the only one. */
export function range({ start, length }: { start: number; length: number }, digits: number): string {
  if (length === 1) return hex(start, digits);
  return `${hex(start, digits)}–${hex(start + length - 1, digits)}`;
}

/** Bytes in the largest unit that divides them. */
export function size(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (unit < units.length - 1 && bytes >= 1024 && bytes % 1024 === 0) {
    bytes /= 1024;
    unit++;
  }
  return `${bytes.toLocaleString("en-US")} ${units[unit]}`;
}
