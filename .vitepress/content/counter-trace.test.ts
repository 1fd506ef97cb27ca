import { describe, expect, it } from "vitest";
import { levelPath, levelsInWords, traceCounter } from "./counter-trace.ts";

const outs = (mode: number, gate?: (pulse: number) => boolean) =>
  traceCounter({ mode, count: 4, pulses: 12, ...(gate && { gate }) })
    .map(({ out }) => (out ? "#" : "_"))
    .join("");

describe("the traces of the figures", () => {
  it("are the data sheet's waveforms for a count of 4", () => {
    expect(outs(0)).toBe("_____#######");
    expect(outs(1, pulse => pulse >= 2)).toBe("###____#####");
    expect(outs(2)).toBe("####_###_###");
    expect(outs(3)).toBe("###__##__##_");
    expect(outs(4)).toBe("#####_######");
    expect(outs(5, pulse => pulse >= 2)).toBe("#######_####");
  });

  it("show the count as it runs, and nothing before it is loaded", () => {
    const counts = traceCounter({ mode: 0, count: 2, pulses: 5 }).map(({ count }) => count);
    expect(counts).toEqual([undefined, 2, 1, 0, 0xff]);
  });

  it("are drawn as steps", () => {
    expect(levelPath([true, true, false], 10, 5, 20)).toBe("M0 5H10V5H20V25H30");
  });

  it("are told in words", () => {
    expect(levelsInWords([true, true, false])).toBe("high for 2, low for 1");
  });
});
