/**
 * Makes up a class: references, starters, learners' typical mistakes, attacks and broken archives, in
 * folders, zips and tars with the names that Canvas, Moodle and GitHub Classroom give. The same each time.
 */
import { createWriteStream, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { zipSync } from "fflate";
import { pack } from "tar-stream";
import type { Chapter } from "../chapter-manifest.ts";
import { layerWithMistake, starterLayer } from "../layer-variants.ts";
import { Random } from "../random.ts";
import { attackSubmission, readAttacks } from "./attacks.ts";
import { ownSubmission } from "./submission.ts";

/** What a made-up submission is, and so what it should get. */
export type SampleKind = "reference" | "starter" | "mutant" | "attack" | "broken";

export interface Sample {
  readonly id: string;
  readonly kind: SampleKind;
}

type Files = ReadonlyMap<string, string>;

/** These go on until a limit; a few of them are enough for a class. */
const SLOW = /^(time|memory|output-flood|answer-huge|process-signal)/;
const MOST_SLOW = 4;

export async function writeSamples(
  folder: string,
  chapters: readonly Chapter[],
  count = 300,
): Promise<Sample[]> {
  mkdirSync(folder, { recursive: true });
  const random = new Random("a made-up class");
  const mistakes = chapters.flatMap(chapter => chapter.mistakes.map(mistake => ({ chapter, mistake })));
  const names = new Set(chapters.map(({ name }) => name));
  const attacks = readAttacks().filter(attack => names.has(attack.file.split("/")[0]!));
  const quick = attacks.filter(({ name }) => !SLOW.test(name));
  const slow = attacks.filter(({ name }) => SLOW.test(name)).slice(0, MOST_SLOW);
  const reference = ownSubmission(chapters, "solutions").files;
  const starter: Files = new Map(chapters.flatMap(chapter => [...starterLayer(chapter)]));
  const samples: Sample[] = [];
  for (let at = 0; at < count; at++) {
    const number = String(1000 + at);
    const share = at % 10;
    const kind: SampleKind =
      share < 2
        ? "reference"
        : share === 2
          ? "starter"
          : share < 7
            ? "mutant"
            : share < 9
              ? "attack"
              : "broken";
    let files: Files = kind === "starter" ? starter : reference;
    if (kind === "mutant") {
      const { chapter, mistake } = mistakes[at % mistakes.length]!;
      files = new Map([...reference, ...layerWithMistake(chapter, mistake)]);
    } else if (kind === "attack") {
      const attack =
        at % 75 < slow.length * 2 && slow[(at % 75) >> 1] ? slow[(at % 75) >> 1]! : quick[at % quick.length]!;
      const chapter = chapters.find(({ name }) => attack.file.startsWith(name))!;
      const targets = { secret: "/etc/shadow", folder: "/tmp", port: 9 };
      files = new Map([
        ...reference,
        ...attackSubmission(attack, chapter, random.pick(["solution", "starter"]), targets).files,
      ]);
    }
    const id =
      kind === "broken"
        ? writeBroken(folder, number, at, reference)
        : await writeForm(folder, number, at, files);
    samples.push({ id, kind });
  }
  writeFileSync(join(folder, ".samples.json"), `${JSON.stringify(samples, null, 2)}\n`);
  return samples;
}

const encode = (text: string) => new TextEncoder().encode(text);

/** One of the forms in which submissions come; returns the id that the grader gives it. */
async function writeForm(folder: string, number: string, at: number, files: Files): Promise<string> {
  const placed = new Map([...files].map(([file, text]) => [`vmexit/chapters/${file}`, text]));
  switch (at % 5) {
    case 0: {
      const name = `student${number}_${number}_9${number}_work.zip`;
      const packed = zipSync(Object.fromEntries([...placed].map(([path, text]) => [path, encode(text)])));
      writeFileSync(join(folder, name), packed);
      return `student${number}_${number}`;
    }
    case 1: {
      const name = `Student ${number}_${number}_assignsubmission_file_`;
      writeTree(join(folder, name), placed);
      return `Student-${number}_${number}`;
    }
    case 2: {
      const tar = pack();
      for (const [name, text] of placed) tar.entry({ name, mtime: new Date(0) }, text);
      tar.finalize();
      const path = join(folder, `vmexit-lab-student${number}.tgz`);
      await pipeline(tar, createGzip(), createWriteStream(path));
      return `vmexit-lab-student${number}`;
    }
    case 3:
      writeTree(join(folder, `vmexit-lab-student${number}`), placed);
      return `vmexit-lab-student${number}`;
    default:
      // The folders of the layers alone, as somebody zips who zips by hand.
      writeFileSync(
        join(folder, `student${number}_LATE_${number}_9${number}_layers.zip`),
        zipSync(Object.fromEntries([...files].map(([path, text]) => [path, encode(text)]))),
      );
      return `student${number}_${number}`;
  }
}

/** Each of these is ungradable, and no zero. */
function writeBroken(folder: string, number: string, at: number, reference: Files): string {
  const name = `broken${number}`;
  const whole = zipSync(Object.fromEntries([...reference].map(([path, text]) => [path, encode(text)])));
  const [first = ""] = reference.keys();
  switch (Math.floor(at / 10) % 6) {
    case 0:
      writeFileSync(join(folder, `${name}.zip`), whole.subarray(0, whole.length >> 1));
      break;
    case 1:
      writeFileSync(join(folder, `${name}.zip`), "<html>Log in to continue</html>");
      break;
    case 2:
      writeFileSync(join(folder, `${name}.tgz`), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]));
      break;
    case 3:
      writeTree(join(folder, name), new Map([["essay.docx", "I could not do it."]]));
      break;
    case 4:
      writeTree(join(folder, name), new Map([["README.md", ""]]));
      mkdirSync(join(folder, name, dirname(first)), { recursive: true });
      symlinkSync("/etc/passwd", join(folder, name, first));
      break;
    default:
      writeFileSync(join(folder, `${name}.zip`), zipSync({ [first]: encode("x".repeat(0x4_0000)) }));
  }
  return name;
}

function writeTree(root: string, files: Files): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
