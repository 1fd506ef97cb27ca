import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { casesOf } from "../oracle/third-opinion.ts";
import { KNOWN_BOCHS } from "./guest/known-bochs.ts";
import { runImage } from "./guest/run-image.ts";

const images = [
  { name: "protection", least: 150 },
  { name: "limits", least: 70 },
  { name: "virtual8086", least: 55 },
  { name: "paging", least: 50 },
  { name: "debug", least: 20 },
];

describe.each(images)("the image $name", ({ name, least }) => {
  const image = new URL(`./guest/${name}.img`, import.meta.url);
  const bochs = casesOf(readFileSync(new URL(`./guest/${name}.bochs.txt`, import.meta.url), "utf8"));
  const whole = runImage(image);
  const cases = casesOf(whole.output);

  it("comes to its end", () => {
    expect(whole.end.reason).toBe("HLT");
    expect(whole.output.endsWith("end\n")).toBe(true);
    expect(bochs.size).toBeGreaterThan(least);
  });

  it.each([...bochs.keys()])("%s", caseName => {
    const same = cases.get(caseName) === bochs.get(caseName);
    if (caseName in KNOWN_BOCHS) expect(same, "no longer differs: take it off the list").toBe(false);
    else expect(cases.get(caseName)).toBe(bochs.get(caseName));
  });

  it("does the same in single instructions", () => {
    expect(runImage(image, { slice: 1 }).output).toBe(whole.output);
  });
});
