import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FX, type Outcome } from "./case.ts";
import { compare } from "./compare.ts";
import { loadVectors, vectorFile } from "./record.ts";
import { encodeVectors, openVectors, VectorError } from "./vectors.ts";

describe("the file of vectors", () => {
  it("is what its records make again, byte for byte", { timeout: 60_000 }, () => {
    const bytes = brotliDecompressSync(readFileSync(vectorFile("x87")));
    const forms = openVectors(bytes).map(form => ({ ...form, cases: form.read() }));
    expect(Buffer.compare(encodeVectors(forms), bytes)).toBe(0);
  });

  it("is refused when its states would be made otherwise", () => {
    const bytes = brotliDecompressSync(readFileSync(vectorFile("x87")));
    bytes[5] = bytes[5]! ^ 1;
    expect(() => openVectors(bytes)).toThrow(VectorError);
  });
});

describe("compare", () => {
  const { input, outcome } = loadVectors("x87")
    .find(({ id }) => id.includes("fst m64"))!
    .read()
    .find(({ outcome }) => outcome.vector === 3 && outcome.changes.length > 0)!;
  const named = (got: Outcome): string[] => compare(input, outcome, got).differences.map(({ what }) => what);
  const fxWith = (at: number): Uint8Array => {
    const fx = outcome.fx!.slice();
    fx[at] = fx[at]! ^ 0x01;
    return fx;
  };

  it("finds nothing where nothing differs", () => {
    expect(named(outcome)).toEqual([]);
  });

  it.each<[string, Partial<Outcome>]>([
    ["exception", { vector: 13 }],
    ["eip", { eip: outcome.eip + 1 }],
    ["eflags", { eflags: outcome.eflags ^ 0x80 }],
    ["edx", { gpr: outcome.gpr.map((value, at) => (at === 2 ? value + 1 : value)) }],
    ["ds", { segment: outcome.segment.map((value, at) => (at === 3 ? 0x17 : value)) }],
    ["fcw", { fx: fxWith(FX.fcw) }],
    ["fsw", { fx: fxWith(FX.fsw) }],
    ["ftw", { fx: fxWith(FX.ftw) }],
    ["mxcsr", { fx: fxWith(FX.mxcsr) }],
    ["xmm3", { fx: fxWith(FX.xmm + 48) }],
  ])("finds a change of %s", (what, change) => {
    expect(named({ ...outcome, ...change })).toContain(what);
  });

  it("finds a byte of memory too many, too few and another", () => {
    const [first, ...rest] = outcome.changes;
    expect(named({ ...outcome, changes: rest })).toHaveLength(1);
    expect(named({ ...outcome, changes: [...outcome.changes, [0x1fff, 1]] })).toHaveLength(1);
    expect(named({ ...outcome, changes: [[first![0], first![1] ^ 1], ...rest] })).toHaveLength(1);
  });
});
