import { expect, it } from "vitest";
import { CARD, cardSvg, socialCard } from "./social-card.ts";

const LONG = "Everything that the guest believes to be hardware, and who in truth is behind it ".repeat(6);

it("is a PNG of the size that previews want", () => {
  const png = socialCard({
    title: "The timer",
    description: "Three counters",
    chapter: { number: 5, of: 8 },
  });
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([CARD.width, CARD.height]);
});

it("breaks long texts into lines and cuts what is too long", () => {
  const svg = cardSvg({ title: LONG, description: LONG });
  const texts = [...svg.matchAll(/<text x="84" y="(\d+)"[^>]*>([^<]*)</g)];
  expect(texts).toHaveLength(5);
  expect(texts.filter(([, , text]) => text!.endsWith("…"))).toHaveLength(2);
  for (const [, y] of texts) expect(Number(y)).toBeLessThan(CARD.height - 20);
});

it("takes what HTML would not", () => {
  expect(cardSvg({ title: "a < b & c", description: "" })).toContain("a &lt; b &amp; c");
});
