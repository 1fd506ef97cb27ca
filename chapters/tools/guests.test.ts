import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { assemble, guestSources } from "./assemble.ts";
import { ROOT } from "./chapters.ts";
import { requires } from "./requires.ts";

describe("every guest's image is what its source assembles to", requires("nasm").options, () => {
  for (const guest of guestSources()) {
    it(guest.image, () => {
      const image = readFileSync(join(ROOT, guest.image)).toString("hex");
      expect(image, "run `npm run guests`").toBe(assemble(guest).toString("hex"));
    });
  }

  it("says what nasm says about a source that is wrong", () => {
    const missing = { source: "chapters/01-minimal-vm/guest/nonesuch.asm", image: "" };
    expect(() => assemble(missing)).toThrow(/nonesuch\.asm/);
  });
});

describe("without nasm", () => {
  afterEach(() => void vi.unstubAllEnvs());

  it("names the remedy", () => {
    vi.stubEnv("PATH", "/nonexistent");
    expect(() => assemble(guestSources()[0]!)).toThrow(
      "nasm is not there: install it (Debian: `apt install nasm`",
    );
  });
});
