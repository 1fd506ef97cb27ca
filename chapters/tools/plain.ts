/** Prints plain data for people: one line where it fits, hex for numbers that are no small counts. */

const WIDTH = 44;
const BYTES_IN_ROW = 8;

/** The lines of a value; a nested value gets lines of its own only where one line is too short. */
export function plainLines(value: unknown, indent = ""): string[] {
  const line = plainLine(value);
  if (indent.length + line.length <= WIDTH) return [indent + line];
  if (value instanceof Uint8Array) return byteRows(value).map(row => indent + row);
  if (Array.isArray(value)) {
    return [`${indent}[`, ...value.flatMap(item => plainLines(item, `${indent}  `)), `${indent}]`];
  }
  const fields = fieldsOf(value);
  if (!fields) return [indent + line];
  return [
    `${indent}{`,
    ...fields.flatMap(([key, field]) => {
      const [first = "", ...rest] = plainLines(field, `${indent}  `);
      return [`${indent}  ${key}: ${first.trimStart()}`, ...rest];
    }),
    `${indent}}`,
  ];
}

function plainLine(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return plainNumber(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (ArrayBuffer.isView(value) && value instanceof Uint8Array) {
    return `bytes ${spaced(value)}`;
  }
  if (Array.isArray(value)) return `[${value.map(plainLine).join(", ")}]`;
  const fields = fieldsOf(value);
  if (!fields) return matcherText(value) ?? String(value);
  return `{ ${fields.map(([key, field]) => `${key}: ${plainLine(field)}`).join(", ")} }`;
}

/** Eight bytes a row, behind the index of the first of them. */
function byteRows(bytes: Uint8Array): string[] {
  const count = Math.ceil(bytes.length / BYTES_IN_ROW);
  return Array.from({ length: count }, (_, row) => {
    const at = row * BYTES_IN_ROW;
    return `byte ${String(at).padStart(4)}: ${spaced(bytes.subarray(at, at + BYTES_IN_ROW))}`;
  });
}

const spaced = (bytes: Uint8Array) => Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join(" ");

function plainNumber(value: number | bigint): string {
  const whole = typeof value === "bigint" || Number.isInteger(value);
  if (!whole || (value > -10 && value < 10)) return String(value);
  const digits = (value < 0 ? -value : value).toString(16);
  return `${value < 0 ? "-" : ""}0x${digits.replace(/\B(?=(.{4})+$)/g, "_")}`;
}

function fieldsOf(value: unknown): [string, unknown][] | undefined {
  if (typeof value !== "object" || value === null || value instanceof RegExp || matcherText(value))
    return undefined;
  return Object.entries(value);
}

/** What an asymmetric matcher of `expect` stands for, e.g. `StringContaining "slot 1"`. */
function matcherText(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("asymmetricMatch" in value)) return undefined;
  const sample = "sample" in value ? ` ${plainLine(value.sample)}` : "";
  const name = "toString" in value ? String(value) : "matching";
  return `${name}${sample}`;
}

/** Two values in two columns; lines that differ are marked. */
export function besideEachOther(left: unknown, right: unknown, titles: readonly [string, string]): string[] {
  // A whole number beside a broken one: both decimal, so that one can see by how much they differ.
  const isBroken = [left, right].some(value => typeof value === "number" && !Number.isInteger(value));
  const linesOf = isBroken && typeof left === typeof right ? (value: unknown) => [String(value)] : plainLines;
  const leftLines = linesOf(left);
  const rightLines = linesOf(right);
  const width = Math.max(titles[0].length, ...leftLines.map(line => line.length)) + 3;
  const lines = [`  ${titles[0].padEnd(width)}${titles[1]}`];
  for (let at = 0; at < Math.max(leftLines.length, rightLines.length); at++) {
    const [a = "", b = ""] = [leftLines[at], rightLines[at]];
    lines.push(`${a === b ? " " : "≠"} ${a.padEnd(width)}${b}`.trimEnd());
  }
  return lines;
}
