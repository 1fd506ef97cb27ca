import { describe, expect, it } from "vitest";
import { PlainDataError, readPlain, writePlain } from "./plain-data.ts";

const VALUES: unknown[] = [
  ...[null, true, 0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ...["", "a\n\u2028\ud800", undefined, 0n, -(2n ** 200n), [], [[undefined]], {}],
  { a: 1, $: "bigint", v: "1" },
  { $: { $: 1 } },
  { nested: { list: [1n, { deep: new Uint8Array([0, 255]) }] } },
  new Uint8Array([1, 2, 3]),
  new Float64Array([0.1, -0]),
  new BigUint64Array([2n ** 63n]),
];

describe("plain data", () => {
  for (const [at, value] of VALUES.entries()) {
    it(`comes back as it was: value ${at}`, () => {
      const text = writePlain(value);
      expect(text).not.toContain("\n");
      expect(readPlain(text)).toStrictEqual(value);
    });
  }

  it("takes “__proto__” for a field like any other", () => {
    const read = readPlain('{"__proto__":{"isAdmin":true}}') as object;
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.keys(read)).toEqual(["__proto__"]);
    expect("isAdmin" in read).toBe(false);
  });

  it("calls no toJSON, of the data or of a prototype", () => {
    const prototype = Object.prototype as { toJSON?: unknown };
    prototype.toJSON = () => "forged";
    try {
      expect(readPlain(writePlain({ toJSON: 1, list: [1] }))).toEqual({ toJSON: 1, list: [1] });
    } finally {
      delete prototype.toJSON;
    }
  });

  it("refuses what is no plain data, and what is nested too deep", () => {
    for (const value of [() => 1, Symbol("a"), new Map(), new Date(0)]) {
      expect(() => writePlain(value)).toThrow(PlainDataError);
    }
    const deep = "[".repeat(100) + "]".repeat(100);
    expect(() => readPlain(deep)).toThrow(PlainDataError);
    expect(() => writePlain(JSON.parse(deep))).toThrow(PlainDataError);
  });

  it("refuses malformed text", () => {
    for (const text of [
      ...["", "{", "undefined", '{"$":1}', '{"$":"bigint","v":"1e9"}', '{"$":"number","v":"7"}'],
      ...['{"$":"Uint8Array","v":"0"}', '{"$":"Uint32Array","v":"00"}', '{"$":"toString","v":""}'],
    ]) {
      expect(() => readPlain(text), text).toThrow(PlainDataError);
    }
  });
});
