/**
 * `npm run grade N [words]`: grades the learner's chapters, the reference's, one submission or a class.
 *
 * The words stand in any order; `npm run grade help` and the book list them.
 */
import { join } from "node:path";
import { readChapters } from "../chapters.ts";
import { Complaint } from "../complaint.ts";
import { PRACTICE_SEED } from "../graded-test.ts";
import { runTool } from "../run-tool.ts";
import { checkBench, GraderError, setUpBench } from "./bench.ts";
import { FORMATS } from "./formats.ts";
import { gradeSubmission } from "./grading.ts";
import { chooseIsolation } from "./isolation.ts";
import { help, parseWords, type Wish } from "./options.ts";
import { reportLines } from "./report.ts";
import type { GradeResult, Status } from "./result.ts";
import { ownSubmission, type Submission } from "./submission.ts";
import { writeWhole } from "./write-file.ts";

const EXIT_CODES: Readonly<Record<Status, number>> = { graded: 0, ungradable: 1, error: 3 };

// A submission that got out of its box could ask this process to open its debugger: it has none to open.
process.on("SIGUSR1", () => {});

await runTool(async () => {
  try {
    return await grade(parseWords(process.argv.slice(2), readChapters(), PRACTICE_SEED));
  } catch (error) {
    if (!(error instanceof GraderError)) throw error;
    console.error(error.message);
    return EXIT_CODES.error;
  }
});

async function grade(wish: Wish): Promise<number> {
  if (wish.words.has("help")) return print(help());
  if (wish.chapters.length === 0)
    throw new Complaint("which chapter? `npm run grade N`, or `npm run grade all`", 2);
  return await gradeOne(
    wish,
    ownSubmission(wish.chapters, wish.words.has("solution") ? "solutions" : "chapters"),
  );
}

async function gradeOne(wish: Wish, submission: Submission): Promise<number> {
  let bench = await setUpBench(wish.chapters, chooseIsolation(wish.isolation));
  try {
    if (!wish.words.has("solution")) bench = await checkBench(bench, wish.seed);
    const result = await gradeSubmission(bench, submission, wish.seed);
    if (wish.out !== undefined) writeResult(wish.out, result, wish.formats);
    print(reportLines(result));
    return EXIT_CODES[result.status];
  } finally {
    bench.boxes.close();
  }
}

/** The canonical result and the wanted formats, each in a file of its own. */
function writeResult(folder: string, result: GradeResult, formats: readonly string[]): void {
  writeWhole(join(folder, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
  for (const name of formats) {
    const { file, write } = FORMATS[name]!;
    writeWhole(join(folder, file), write(result));
  }
}

function print(lines: readonly string[]): number {
  console.log(lines.join("\n"));
  return 0;
}
