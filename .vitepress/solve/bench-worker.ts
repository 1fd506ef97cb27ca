/** The worker of the page's test bench: the graded tests are here, the learner's code is in a worker below it. */
import { SUBJECTS, SUITES } from "virtual:vmexit/bench";
import { MODULES } from "virtual:vmexit/modules";
import { expect } from "../../chapters/tools/assertions.ts";
import { collectTests } from "../../chapters/tools/collector.ts";
import { type GradedTest, useRegistrar } from "../../chapters/tools/suite.ts";
import { runBench } from "./bench.ts";
import type { BenchMessage, RunRequest } from "./bench-protocol.ts";
import { LearnerSyntaxError, linkLayers, placeModule } from "./learner-modules.ts";
import { LinkError } from "./link.ts";
import { SUBJECT } from "./module-texts.ts";
import { CancelledError, LoadError, PageBackend } from "./page-backend.ts";
import { placeOf } from "./trouble.ts";

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
    if ([LearnerSyntaxError, LinkError, LoadError].some(kind => error instanceof kind)) {
      const place = placeOf(error);
      post({ kind: "broken", message, ...(place && { place }) });
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
  const [all, subject, layers] = await Promise.all([suite, SUBJECTS[chapter]!(), MODULES.layers()]);
  const tests = tasks.flatMap(id => all.filter(({ task }) => task.id === id));
  const urls: string[] = [];
  const place = placeModule(urls);
  let backend: PageBackend | undefined;
  try {
    const entry = await linkLayers(SUBJECT, { ...subject, ...layers }, { [chapter]: files }, place);
    const boot = place(bootText(entry), "boot");
    if (current.run !== run) return;
    backend = new PageBackend(() => new Worker(boot, { type: "module" }));
    current.backend = backend;
    await runBench(tests, backend, outcome => post({ kind: "outcome", outcome }));
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
