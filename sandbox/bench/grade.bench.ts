/**
 * A class of 300 made-up submissions of chapters 5 and 6 (references, starters, mistakes, attacks, broken
 * archives), graded as `npm run grade 5 6 FOLDER` does, without its cache.
 *
 * On a busy machine the clock tells little; the processor time of a submission, of the grader, its bundler
 * and the submission's processes together, tells what two free cores would do.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { readChapters } from "../../chapters/tools/chapters.ts";
import { checkBench, setUpBench } from "../../chapters/tools/grade/bench.ts";
import { readSource, sourcesIn } from "../../chapters/tools/grade/class-folder.ts";
import { gradeSubmission } from "../../chapters/tools/grade/grading.ts";
import { inParallel } from "../../chapters/tools/grade/in-parallel.ts";
import { chooseIsolation } from "../../chapters/tools/grade/isolation.ts";
import { useOf } from "../../chapters/tools/grade/process-use.ts";
import { writeSamples } from "../../chapters/tools/grade/sample.ts";
import { median, spread } from "./paired.ts";
import { type BenchResult, CannotMeasure, type Row, thisMachine } from "./result.ts";

export const description = "300 submissions of chapters 5 and 6: processor time of each, and grades a second";

const ROUNDS = 1;
const CLASS = 300;
const CHAPTERS = [5, 6];
const SEED = "bench";

export async function run(rounds = ROUNDS): Promise<BenchResult> {
  if (!useOf(process.pid)) {
    throw new CannotMeasure("the processor time of other processes is read from /proc, which only Linux has");
  }
  const folder = mkdtempSync(join(tmpdir(), "vmexit-bench-grade-"));
  const chapters = readChapters().filter(({ number }) => CHAPTERS.includes(number));
  const isolation = chooseIsolation();
  const bench = await checkBench(await setUpBench(chapters, isolation), SEED);
  try {
    await writeSamples(folder, chapters, CLASS);
    const jobs = availableParallelism() + 1;
    const [milliseconds, perSecond]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const pace = { seconds: 0, processor: 0 };
      const before = useOf(process.pid)!.processor;
      const begun = performance.now();
      await inParallel(sourcesIn(folder), jobs, async source => {
        return await gradeSubmission(bench, await readSource(source, chapters), SEED, pace);
      });
      const seconds = (performance.now() - begun) / 1000;
      const processor = useOf(process.pid)!.processor - before + pace.processor;
      milliseconds.push((1000 * processor) / CLASS);
      perSecond.push(CLASS / seconds);
    }
    const row = (name: string, unit: string, samples: readonly number[]): Row => ({
      ...{ name, unit, ours: median(samples), peers: {}, ratio: {} },
      spread: { ours: spread(samples) },
    });
    const rows = [
      row("processor time of a submission", "ms", milliseconds),
      row(
        "what two cores can do with that",
        "submissions/s",
        milliseconds.map(time => 2000 / time),
      ),
      row(`on the clock, ${jobs} at a time`, "submissions/s", perSecond),
    ];
    return { bench: "grade", machine: thisMachine(), rows, notes: [`isolation: ${isolation.level}`] };
  } finally {
    bench.boxes.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
