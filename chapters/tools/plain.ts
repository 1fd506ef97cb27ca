/** Prints plain data for people: one line where it fits, hex for numbers that are no small counts. */

const WIDTH = 44;

/** The lines of a value; a nested value gets lines of its own only where one line is too short. */
export function plainLines(value: unknown, indent = ""): string[] {
  const line = plainLine(value);
  if (indent.length + line.length <= WIDTH) return [indent + line];
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
    return `bytes ${Array.from(value, byte => byte.toString(16).padStart(2, "0")).join(" ")}`;
  }
  if (Array.isArray(value)) return `[${value.map(plainLine).join(", ")}]`;
  const fields = fieldsOf(value);
  if (!fields) return matcherText(value) ?? String(value);
  return `{ ${fields.map(([key, field]) => `${key}: ${plainLine(field)}`).join(", ")} }`;
}

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
  const leftLines = plainLines(left);
  const rightLines = plainLines(right);
  const width = Math.max(titles[0].length, ...leftLines.map(line => line.length)) + 3;
  const lines = [`  ${titles[0].padEnd(width)}${titles[1]}`];
  for (let at = 0; at < Math.max(leftLines.length, rightLines.length); at++) {
    const [a = "", b = ""] = [leftLines[at], rightLines[at]];
    lines.push(`${a === b ? " " : "≠"} ${a.padEnd(width)}${b}`.trimEnd());
  }
  return lines;
}
