import { describe, expect, it } from "vitest";
import { ManualClock } from "../machine/clock.ts";
import { mainboard } from "./comparison/mainboard.ts";

/** Every port that the mainboard answers at, and some beside them. */
const PORTS = [0x20, 0x21, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61, 0x62, 0x64, 0x70, 0x71, 0x92, 0xa0, 0xa1, 0xe9]
  .concat(Array.from({ length: 8 }, (_, offset) => 0x3f8 + offset))
  .concat([0x4d0, 0x4d1, 0x1f, 0x44, 0xffff]);

describe("the mainboard under a hostile guest", () => {
  it.each([1, 2, 3])("gets through 100,000 random accesses of any size (seed %i)", start => {
    let seed = start;
    const random = (bound: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed >>> 9) % bound;
    };
    const clock = new ManualClock();
    const { ports } = mainboard(clock);
    for (let step = 0; step < 100_000; step++) {
      const size = ([1, 1, 1, 2, 4] as const)[random(5)]!;
      const port = PORTS[random(PORTS.length)]!;
      if (random(2)) {
        const value = ports.read(port, size);
        if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
          expect({ port, size, value }).toEqual("an unsigned number of that size");
        }
      } else ports.write(port, size, random(2 ** (8 * size)));
      clock.advance(random(20_000));
    }
  });
});
