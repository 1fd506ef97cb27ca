import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bookOutputs, makeOutput, OUTPUTS } from "./book-outputs.ts";
import { ROOT } from "./chapters.ts";

describe("the outputs in the book are what the commands print", () => {
  for (const output of bookOutputs().filter(({ heldBy }) => !heldBy)) {
    it(`${output.file}: ${output.run}${output.layer ? ` (${output.layer})` : ""}`, async () => {
      const path = join(ROOT, OUTPUTS, output.file);
      const shown = existsSync(path) ? readFileSync(path, "utf8") : "";
      expect(shown, "run `npm run outputs`").toBe(await makeOutput(output));
    }, 300_000);
  }

  it("those whose guest is fetched have a test of their own", () => {
    for (const { file, heldBy } of bookOutputs()) {
      if (heldBy) expect(readFileSync(join(ROOT, heldBy), "utf8"), heldBy).toContain(`${OUTPUTS}/${file}`);
    }
  });

  it("no output is left that no command makes", () => {
    const made = bookOutputs().map(({ file }) => file);
    const there = readdirSync(join(ROOT, OUTPUTS)).filter(file => file.endsWith(".txt"));
    expect(there.filter(file => !made.includes(file))).toEqual([]);
  });
});
