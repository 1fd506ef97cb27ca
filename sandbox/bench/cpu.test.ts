import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { requires } from "../../chapters/tools/requires.ts";
import { Child } from "./cpu-child.ts";
import { BOOT_SECTOR, IMAGE, ROWS } from "./cpu-guest.ts";
import { PassReader } from "./cpu-pass.ts";
import { buildGuest, compilerVersion } from "./guest/build.ts";

const checksumOf = (name: string) => Number.parseInt(ROWS.find(row => row.name === name)!.checksum, 16);

/** As rows.h has it. */
function randomBytes(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    bytes[i] = seed >>> 24;
  }
  return bytes;
}

describe("the rows' checksums", () => {
  it("are what the world knows", () => {
    expect(checksumOf("sieve")).toBe(78_498); // primes below a million
    expect(checksumOf("calls")).toBe(514_229); // Fibonacci's 29th number
  });

  it("are what other implementations come to", () => {
    const digest = createHash("sha256")
      .update(randomBytes(256, 256 << 10))
      .digest();
    expect(checksumOf("sha256")).toBe(digest.readUInt32BE(0));
    expect(checksumOf("crc32")).toBe(crc32(randomBytes(32, 256 << 10)));
  });
});

describe("the guest's image", () => {
  const image = readFileSync(IMAGE);
  const compiler = /compiler (\S+)/.exec(image.toString("latin1"))?.[1];

  it("names the compiler that made it", () => {
    expect(compiler).toMatch(/^\d+\.\d+\.\d+$/);
  });

  const nasm = requires("nasm");
  const gcc = requires("gcc32");
  it("is what its sources make", nasm.available ? gcc.options : nasm.options, ({ skip }) => {
    const built = buildGuest();
    expect(built.bootSector.equals(readFileSync(BOOT_SECTOR))).toBe(true);
    if (compilerVersion() !== compiler) skip(`gcc ${compilerVersion()} is here, the image is of ${compiler}`);
    expect(built.image.equals(image)).toBe(true);
  });

  it("comes to the right checksums on our processor", { timeout: 120_000 }, async () => {
    const ours = new Child("./cpu-ours.ts");
    try {
      const pass = await ours.runPass(100);
      const checksums = Object.entries(pass).map(([name, { checksum }]) => ({ name, checksum }));
      expect(checksums).toEqual(ROWS.map(({ name, checksum }) => ({ name, checksum })));
    } finally {
      ours.close();
    }
  });
});

describe("a pass", () => {
  it("is timed from the mark before a row to the first digit after it", () => {
    const reader = new PassReader();
    const send = (text: string, now: number) => {
      for (const byte of Buffer.from(text)) reader.take(byte, now);
    };
    send("compiler 12.2.0\nsieve <", 1000);
    send("0", 3000);
    send("00132a2 00000000000004d2>\nend\n", 9000);
    expect(reader.isDone).toBe(true);
    expect(reader.result).toEqual({ sieve: { seconds: 2, checksum: "000132a2", ticks: 1234 } });
  });
});
