/**
 * `npm run learn [N] [TASK] [words]`: one task after the other, tested at every save.
 *
 * In a terminal it takes keys and draws a screen. In a pipe it tests once and ends: with 0 where the task
 * is done, with 1 where it is not.
 */
import { readChapters } from "../chapters.ts";
import { Complaint } from "../complaint.ts";
import { runTool } from "../run-tool.ts";
import { Course } from "./session.ts";
import { runInTerminal } from "./terminal.ts";
import { help, parseWords } from "./words.ts";

await runTool(() => learn(process.argv.slice(2)));

async function learn(args: readonly string[]): Promise<number> {
  const chapters = readChapters();
  const wish = parseWords(args, chapters);
  const { words } = wish;
  if (words.has("help")) return print(help());
  const course = new Course(wish.chapter ? [wish.chapter] : chapters, chapters, words.has("mine"));
  try {
    if (words.has("list")) return print(course.list());
    const actions = (["hint", "diff", "reset"] as const).filter(word => words.has(word));
    const isOnce = words.has("once") || actions.length > 0;
    if (!isOnce && (process.stdout.isTTY || words.has("watch"))) {
      return await runInTerminal(course, wish.task, words.has("poll"));
    }
    await course.begin(wish.task);
    for (const action of actions) {
      if (action === "hint") course.hint();
      else if (action === "reset") {
        course.reset();
        await course.check();
      } else course.showDifference();
    }
    print(course.lines({ columns: process.stdout.columns ?? 100, rows: undefined, colour: false }, []));
    return course.isDone ? 0 : 1;
  } finally {
    await course.close();
  }
}

function print(lines: readonly string[]): number {
  if (lines.length === 0) throw new Complaint("there is nothing to show");
  console.log(lines.join("\n").trimEnd());
  return 0;
}
