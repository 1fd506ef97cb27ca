/**
 * The end of the book, on a learner's layers: with every exercise of every chapter filled in, Debian's Linux
 * boots on what stands in chapters/, to its shell.
 */
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { DebianError } from "../../sandbox/cli/linux/apt.ts";
import { debianLinux } from "../../sandbox/cli/linux/debian.ts";
import { layerFiles, ROOT, readChapters } from "../tools/chapters.ts";
import { Clone } from "../tools/clone.ts";

const OUTPUT = "docs/outputs/08-linux.txt";

let clone: Clone | undefined;
afterAll(() => clone?.delete());

it("`npm run chapter 8 mine linux` boots Debian's Linux on the learner's layers, as the book shows it", {
  timeout: 600_000,
}, async context => {
  const { sentence } = await fetchLinux(reason => context.skip(reason));
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

  // Instruction for instruction as on the reference's layers.
  const path = join(ROOT, OUTPUT);
  const shown = existsSync(path) ? readFileSync(path, "utf8") : "";
  // Debian's next kernel counts other instructions, and is no reason to fail.
  if (!shown.includes(sentence)) return;
  expect(`$ npm run chapter 8 solution linux\n${stdout}`, "run `npm run outputs 08-linux`").toBe(shown);
});

async function fetchLinux(skip: (reason: string) => never) {
  try {
    return await debianLinux(
      () => {},
      () => {},
    );
  } catch (error) {
    if (!(error instanceof DebianError)) throw error;
    return skip(`Debian's packages cannot be fetched: ${error.message}`);
  }
}
