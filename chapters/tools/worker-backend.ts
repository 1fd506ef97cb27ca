/**
 * The subject in a worker thread: an endless loop or a runaway heap costs a message and no more. It is no
 * prison (a worker can still open files): whoever grades strangers needs another process.
 */
import { Worker } from "node:worker_threads";
import { bundleWithLayers, cacheBundle, type LayerTexts } from "./layer-bundle.ts";
import type { SubjectBackend } from "./subject.ts";
import { type Answer, type Call, resultOf, SubjectLimitError } from "./subject-calls.ts";

export interface WorkerLimits {
  /** For one call; generous, as this is a watchdog and not a measure. */
  readonly milliseconds: number;
  readonly heapMegabytes: number;
}

/** What starting a worker and loading a bundle may take on a busy machine, in milliseconds: it is no call of the learner's. */
const LOADING = 5000;

const LIMITS: WorkerLimits = { milliseconds: 10_000, heapMegabytes: 256 };

/** Bundles a chapter's subject over the given layer texts and serves it from a worker. */
export async function workerBackend(
  chapter: string,
  layers: LayerTexts,
  limits: WorkerLimits = LIMITS,
): Promise<WorkerBackend> {
  return new WorkerBackend(cacheBundle(await bundleWithLayers(servedSubject(chapter), layers)), limits);
}

/** The module that serves a chapter's subject, to be bundled. */
export function servedSubject(chapter: string): string {
  return `
    import { subject } from "./chapters/${chapter}/subject.ts";
    import { serveSubject } from "./chapters/tools/subject-in-worker.ts";
    serveSubject(subject);
  `;
}

/** A worker with nothing loaded yet: starting one takes as long as all tests of a task. */
export type SpareWorker = Worker;

/** Loads the one module it is told to, and says so; what it is told after that is for that module. */
const SPARE = `
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", async message => {
    if (typeof message !== "string") return;
    await import(message);
    parentPort.postMessage("loaded");
  });
`;

export function spareWorker({ heapMegabytes }: WorkerLimits = LIMITS): SpareWorker {
  const worker = new Worker(SPARE, {
    eval: true,
    execArgv: ["--enable-source-maps"],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
  worker.unref();
  return worker;
}

export class WorkerBackend implements SubjectBackend {
  #worker: Worker | undefined;
  #isLoaded = false;
  #calls = 0;
  /** Shrinks once a call did not come back: the same loop is likely to wait in the next ones. */
  #patience: number;

  /** `spare`, if there is one, loads the bundle and is this back end's from now on. */
  constructor(
    private readonly bundle: string,
    private readonly limits: WorkerLimits,
    private spare?: SpareWorker,
  ) {
    this.#patience = limits.milliseconds;
  }

  /** One call at a time; after a limit the next call gets a new worker. */
  async call(name: string, args: readonly unknown[]): Promise<unknown> {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#calls;
    const answer = await new Promise<Answer>((resolve, reject) => {
      const stop = (problem: string) => {
        if (this.#worker === worker) this.#worker = undefined;
        void worker.terminate();
        reject(new SubjectLimitError(problem));
      };
      let watchdog: NodeJS.Timeout | undefined;
      const watch = (patience: number) => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => {
          this.#patience = this.limits.milliseconds / 4;
          stop(`“${name}” did not come back within ${patience / 1000} s: does a loop never end?`);
        }, patience);
      };
      watch(this.#isLoaded ? this.#patience : Math.max(this.#patience, LOADING));
      worker.removeAllListeners();
      worker.once("error", error => stop(`“${name}” took its worker down: ${error.message}`));
      // By `process.exit`, or since this back end was closed: nobody waits for what never comes.
      worker.once("exit", () => {
        clearTimeout(watchdog);
        stop(`“${name}” ended its worker`);
      });
      const ask = () => worker.postMessage({ id, name, args } satisfies Call);
      worker.on("message", (message: Answer | "loaded") => {
        if (message === "loaded") {
          this.#isLoaded = true;
          watch(this.#patience);
          ask();
        } else if (message.id === id) {
          clearTimeout(watchdog);
          resolve(message);
        }
      });
      if (this.#isLoaded) ask();
    });
    return resultOf(answer);
  }

  async close(): Promise<void> {
    const [worker, spare] = [this.#worker, this.spare];
    this.#worker = this.spare = undefined;
    await Promise.all([worker?.terminate(), spare?.terminate()]);
  }

  #start(): Worker {
    const worker = this.spare ?? spareWorker(this.limits);
    this.spare = undefined;
    this.#isLoaded = false;
    worker.ref();
    worker.postMessage(this.bundle);
    return worker;
  }
}
