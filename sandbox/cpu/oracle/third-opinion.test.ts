import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { runImage } from "../system/guest/run-image.ts";
import { KNOWN_QEMU } from "./known-qemu.ts";
import { casesOf, runInQemu, withoutRf } from "./third-opinion.ts";

/** Not `limits`: TCG has no segment limits. */
const IMAGES = [
  { name: "protection", least: 120 },
  { name: "virtual8086", least: 45 },
  { name: "paging", least: 45 },
  { name: "debug", least: 18 },
];

describe("the guest images in QEMU's TCG", requires("qemu").options, () => {
  it.each(IMAGES)("$name: every difference has its reason", { timeout: 60_000 }, ({ name, least }) => {
    const image = new URL(`../system/guest/${name}.img`, import.meta.url);
    const ours = casesOf(withoutRf(runImage(image).output));
    const theirs = casesOf(withoutRf(runInQemu(readFileSync(image))));
    const common = [...theirs.keys()].filter(key => ours.has(key));
    const differing = common.filter(key => ours.get(key) !== theirs.get(key));
    expect(differing.filter(key => !(key in KNOWN_QEMU))).toEqual([]);
    expect(common.length - differing.length).toBeGreaterThanOrEqual(least);
  });
});
