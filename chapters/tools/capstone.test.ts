/**
 * The end of the book, on a learner's layers: with every exercise of every chapter filled in, Debian's Linux
 * boots on what stands in chapters/, to its shell.
 */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { requireDebian } from "../../sandbox/cli/linux/debian-fixture.ts";
import { layerFiles, ROOT, readChapters } from "./chapters.ts";
import { Clone } from "./clone.ts";

const OUTPUT = "docs/outputs/08-linux.txt";

let clone: Clone | undefined;
afterAll(() => clone?.delete());

it("`npm run chapter 8 mine linux` boots Debian's Linux on the learner's layers, as the book shows it", {
  timeout: 600_000,
}, async context => {
  await requireDebian(context);
  clone = new Clone();
  const written = readChapters().flatMap(({ name }) => layerFiles(name).map(file => `${name}/${file}`));
  for (const file of written) {
    copyFileSync(join(ROOT, "solutions", file), join(clone.root, "chapters", file));
    // Whatever came from here would stop the boot: what runs is the learner's.
    clone.write(`solutions/${file}`, `throw new Error("${file} is not the learner's");\n`);
  }
  const { code, stdout, stderr } = await clone.run("chapter", "8", "mine", "linux");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toContain("the shell asks: vmexit:/#");

  // The book's milestones in the book's order. A device more or less moves the numbers a little, and so does
  // Debian's next kernel; what the page shows must still be true.
  const shown = milestones(readFileSync(join(ROOT, OUTPUT), "utf8"));
  const seen = milestones(stdout);
  expect(
    seen.map(({ text }) => text),
    "run `npm run outputs 08-linux`",
  ).toEqual(shown.map(({ text }) => text));
  for (const [index, { text, seconds, exits }] of seen.entries()) {
    expect(Math.abs(seconds - shown[index]!.seconds), `${text}: seconds`).toBeLessThan(1);
    expect(Math.abs(exits - shown[index]!.exits), `${text}: exits`).toBeLessThan(0.1 * exits + 1000);
  }
});

function milestones(output: string) {
  return [...output.matchAll(/^ +([\d.]+) s +([\d,]+) exits {2}(.+)$/gm)].map(([, seconds, exits, text]) => ({
    seconds: Number(seconds),
    exits: Number(exits!.replaceAll(",", "")),
    text: text!,
  }));
}
