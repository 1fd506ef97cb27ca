/**
 * Plain data as text, for the line between the grader and a submission's process.
 *
 * JSON, and what it lacks: undefined, NaN, the infinities, -0, bigint, typed arrays. Those stand as
 * objects with the field "$". The writer reads no `toJSON` and calls nothing of the data; the reader makes
 * new objects of data properties only, whatever the text says.
 */

/** The text is no plain data, or too deep. */
export class PlainDataError extends Error {
  override readonly name = "PlainDataError";
}

const DEEPEST = 64;

const ARRAYS = {
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;

type ArrayName = keyof typeof ARRAYS;

// Taken now: a submission that is loaded later may replace them.
const { stringify, parse } = JSON;
const { is, keys, hasOwn, defineProperty } = Object;
const { isArray } = Array;
const { isView } = ArrayBuffer;

/** Writes data that `structuredClone` has made, so that it has no getters and no methods. */
export function writePlain(value: unknown, depth = 0): string {
  if (depth > DEEPEST) throw new PlainDataError("the data is nested too deep");
  switch (typeof value) {
    case "string":
    case "boolean":
      return stringify(value);
    case "number":
      return Number.isFinite(value) && !is(value, -0)
        ? stringify(value)
        : special("number", numberName(value));
    case "bigint":
      return special("bigint", `${value}`);
    case "undefined":
      return special("undefined", "");
  }
  if (value === null) return "null";
  if (isArray(value)) {
    let text = "[";
    for (let at = 0; at < value.length; at++) text += (at ? "," : "") + writePlain(value[at], depth + 1);
    return `${text}]`;
  }
  if (isView(value)) return writeArray(value);
  if (typeof value !== "object" || !isRecord(value)) throw new PlainDataError("this is no plain data");
  let text = "";
  for (const key of keys(value)) {
    text += `${text ? "," : ""}${stringify(key)}:${writePlain(value[key], depth + 1)}`;
  }
  return hasOwn(value, "$") ? `{"$":"object","v":{${text}}}` : `{${text}}`;
}

function isRecord(value: object): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === "[object Object]";
}

function numberName(value: number): string {
  return is(value, -0) ? "-0" : `${value}`;
}

function special(name: string, text: string): string {
  return `{"$":${stringify(name)},"v":${stringify(text)}}`;
}

function writeArray(view: ArrayBufferView): string {
  const name = Object.prototype.toString.call(view).slice("[object ".length, -1);
  if (!hasOwn(ARRAYS, name)) throw new PlainDataError("this is no plain data");
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let hex = "";
  for (let at = 0; at < bytes.length; at++) hex += BYTES[bytes[at]!];
  return special(name, hex);
}

const BYTES = Array.from({ length: 0x100 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Reads what `writePlain` wrote, or says that it did not. */
export function readPlain(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch {
    throw new PlainDataError("this is no JSON");
  }
  return revive(parsed, 0);
}

function revive(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEEPEST) throw new PlainDataError("the data is nested too deep");
  if (isArray(value)) return value.map(item => revive(item, depth + 1));
  const fields = value as Record<string, unknown>;
  if (!hasOwn(fields, "$")) return reviveFields(fields, depth);
  const { $: name, v } = fields;
  if (name === "object" && typeof v === "object" && v !== null && !isArray(v)) {
    return reviveFields(v as Record<string, unknown>, depth);
  }
  if (typeof name !== "string" || typeof v !== "string") throw new PlainDataError("a value is malformed");
  return reviveSpecial(name, v);
}

function reviveFields(fields: Record<string, unknown>, depth: number): object {
  const object = {};
  for (const key of keys(fields)) {
    // Not by assignment: "__proto__" is a field like any other here.
    defineProperty(object, key, {
      value: revive(fields[key], depth + 1),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return object;
}

function reviveSpecial(name: string, text: string): unknown {
  if (name === "undefined") return undefined;
  if (name === "number" && /^(NaN|-?Infinity|-0)$/.test(text)) return Number(text);
  if (name === "bigint" && /^-?\d{1,4096}$/.test(text)) return BigInt(text);
  if (hasOwn(ARRAYS, name) && /^([0-9a-f]{2})*$/.test(text)) {
    const bytes = Uint8Array.from({ length: text.length / 2 }, (_, at) =>
      Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
    );
    const TypedArray = ARRAYS[name as ArrayName];
    if (bytes.length % TypedArray.BYTES_PER_ELEMENT === 0) return new TypedArray(bytes.buffer);
  }
  throw new PlainDataError("a value is malformed");
}
