/** The worker of the page's test bench: the graded tests are here, the learner's code is in a worker below it. */
import { MODULES, SUITES } from "virtual:vmexit/bench";
import { expect } from "../../chapters/tools/assertions.ts";
import { collectTests } from "../../chapters/tools/collector.ts";
import { type GradedTest, useRegistrar } from "../../chapters/tools/suite.ts";
import { placeOf, runBench } from "./bench.ts";
import type { BenchMessage, RunRequest } from "./bench-protocol.ts";
import { LearnerSyntaxError, linkLayer } from "./learner-modules.ts";
import { LinkError } from "./link.ts";
import { SUBJECT } from "./module-texts.ts";
import { CancelledError, LoadError, PageBackend } from "./page-backend.ts";

type Message<Kind> = Kind extends BenchMessage ? Omit<Kind, "run"> : never;

useRegistrar({ expect, describe: () => {}, it: () => {} });

let suite: Promise<GradedTest[]> | undefined;
/** The latest run; one that was there before it is given up. */
let current: { readonly run: number; backend?: PageBackend } = { run: 0 };

self.onmessage = async ({ data }: MessageEvent<RunRequest>) => {
  const post = (message: Message<BenchMessage>) => {
    if (current.run === data.run) self.postMessage({ run: data.run, ...message });
  };
  void current.backend?.close();
  current = { run: data.run };
  try {
    await run(data, post);
    post({ kind: "done" });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof LearnerSyntaxError) {
      const { file, line } = error;
      post({ kind: "broken", message, ...(line !== undefined && { place: { file, line } }) });
    } else if (error instanceof LinkError || error instanceof LoadError) {
      post({ kind: "broken", message, place: placeOf(error, Object.keys(data.files)) });
    } else if (!(error instanceof CancelledError)) {
      post({ kind: "failure", message });
    }
  }
};

async function run(
  { run, chapter, files, tasks }: RunRequest,
  post: (message: Message<BenchMessage>) => void,
): Promise<void> {
  // One worker has one chapter: its test files register their tests once.
  suite ??= collectTests(SUITES[chapter]!);
  const [all, modules] = await Promise.all([suite, MODULES[chapter]!()]);
  const tests = tasks.flatMap(id => all.filter(({ task }) => task.id === id));
  const urls: string[] = [];
  const place = (code: string) => {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    urls.push(url);
    return url;
  };
  let backend: PageBackend | undefined;
  try {
    const boot = place(bootText(await linkLayer(chapter, SUBJECT, modules, files, place)));
    if (current.run !== run) return;
    backend = new PageBackend(() => new Worker(boot, { type: "module" }));
    current.backend = backend;
    await runBench(tests, backend, Object.keys(files), outcome => post({ kind: "outcome", outcome }));
  } finally {
    await backend?.close();
    for (const url of urls) URL.revokeObjectURL(url);
  }
}

/** Loads the subject; what keeps it from loading is told with its words, which no error event of a worker has. */
function bootText(entry: string): string {
  return `import(${JSON.stringify(entry)}).catch(error => {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    postMessage({ name, message, stack: stack ?? "" });
  });`;
}
