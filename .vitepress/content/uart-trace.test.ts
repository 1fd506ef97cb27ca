import { describe, expect, it } from "vitest";
import { CAUSES, identify, traceFifo } from "./uart-trace.ts";

describe("the traces of the UART's figures", () => {
  it("serves twelve characters by the trigger level and then by the timeout", () => {
    const moments = traceFifo({ characters: 12, level: 8, latency: 1 });
    const served = moments.filter(({ identification }) => identification !== undefined);
    expect(served.map(({ identification }) => identification)).toEqual([0b0100, 0b1100]);
    expect(served[0]!.at).toBe(9);
    expect(served[1]!.at).toBe(12 + 4 + 1);
    expect(moments.at(-1)).toMatchObject({ waiting: 0, onLine: 0, irq: false });
  });

  it("lets the line wait while a slow driver leaves the FIFO full", () => {
    const moments = traceFifo({ characters: 24, level: 14, latency: 8 });
    expect(Math.max(...moments.map(({ waiting }) => waiting))).toBe(16);
    expect(moments.at(-1)).toMatchObject({ waiting: 0, onLine: 0 });
  });

  it("have each cause alone under its own code", () => {
    const codes = CAUSES.map(({ enable }, only) =>
      identify(
        CAUSES.map((_, index) => index === only),
        enable,
      ),
    );
    expect(codes.map(({ identification }) => identification)).toEqual([
      0b0110, 0b0100, 0b1100, 0b0010, 0b0000,
    ]);
    expect(codes.every(({ irq }) => irq)).toBe(true);
  });

  it("tell the most urgent of all, and none that is not enabled", () => {
    const all = CAUSES.map(() => true);
    expect(identify(all, 0b1111).identification).toBe(0b0110);
    expect(identify(all, 0b1011).identification).toBe(0b0100);
    expect(identify(all, 0b1010).identification).toBe(0b0010);
    expect(identify(all, 0)).toEqual({ identification: 0b0001, irq: false });
  });
});
