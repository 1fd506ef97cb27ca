import { expect, it } from "vitest";
import { halfSipHash, type SipKey } from "./half-sip-hash.ts";

const KEY: SipKey = [0x0302_0100, 0x0706_0504];

it.each([
  [[], 0x5b9f_35a9],
  [[0x0302_0100], 0x8946_6e2a],
  [[0x0302_0100, 0x0706_0504], 0x8f84_b8d0],
  [[0x0302_0100, 0x0706_0504, 0x0b0a_0908], 0x2f87_f057],
  [[0x0302_0100, 0x0706_0504, 0x0b0a_0908, 0x0f0e_0d0c], 0x84ac_b5d9],
])("HalfSipHash-2-4 of %j is that of the published vectors", (words, hash) => {
  expect(halfSipHash(KEY, words)).toBe(hash);
});
