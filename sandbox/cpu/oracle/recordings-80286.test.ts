import { describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { openSoft } from "../../kvm/soft/soft.ts";
import { replay80286 } from "./recordings-80286.ts";

const vectors = requires("vectors");

describe("29,250 instructions recorded from a real 80286", vectors.options, () => {
  it("end alike, but for the differences that are named", { timeout: 180_000 }, () => {
    const failures: string[] = [];
    const results = replay80286(openSoft(), ({ text }) => failures.push(text));
    expect(failures.slice(0, 5)).toEqual([]);
    expect(results.reduce((sum, { cases }) => sum + cases, 0)).toBe(29_250);
  });
});
