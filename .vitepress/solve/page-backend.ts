/**
 * The subject in a worker of the page, the third back end of the graded tests: an endless loop or a crash in a
 * learner's code costs a message and no more.
 */
import type { SubjectBackend } from "../../chapters/tools/subject.ts";
import {
  type Answer,
  type Call,
  type ErrorFacts,
  resultOf,
  SubjectLimitError,
} from "../../chapters/tools/subject-calls.ts";
import { type Endless, READY } from "./serve-subject.ts";
import { withModuleNames } from "./trouble.ts";

/** A layer whose modules cannot even be loaded: nothing can be tested. */
export class LoadError extends Error {
  override readonly name = "LoadError";
  override readonly stack: string;
  constructor({ name, message, stack }: ErrorFacts) {
    super(`Your files could not be loaded. ${name}: ${withModuleNames(message)}`);
    this.stack = stack;
  }
}

/** The part of a browser's `Worker` that is needed. */
export interface SubjectWorker {
  onmessage: ((event: MessageEvent) => unknown) | null;
  onerror: ((event: ErrorEvent) => unknown) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

/** Milliseconds that a call may take; a watchdog and no measure. */
const PATIENCE = 4000;
/** The same for loading all modules, of which most are the site's. */
const PATIENCE_AT_START = 15_000;

/** Nobody waits for the answer any more. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

export class PageBackend implements SubjectBackend {
  #worker: SubjectWorker | undefined;
  #calls = 0;
  /** Gives up the call that is under way. */
  #cancel = () => {};

  /** `start` makes a worker that says `READY`, or posts the facts of the error that kept it from loading. */
  constructor(
    private readonly start: () => SubjectWorker,
    private readonly patience = PATIENCE,
  ) {}

  /** One call at a time; after a limit the next call gets a new worker. */
  async call(name: string, args: readonly unknown[]): Promise<unknown> {
    const worker = (this.#worker ??= await this.#started());
    const id = ++this.#calls;
    const answer = this.#message<Answer>(worker, `“${name}”`, this.patience);
    worker.postMessage({ id, name, args } satisfies Call);
    return resultOf(await answer);
  }

  async close(): Promise<void> {
    this.#cancel();
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  async #started(): Promise<SubjectWorker> {
    const worker = this.start();
    const said = await this.#message<typeof READY | ErrorFacts>(
      worker,
      "loading your files",
      Math.max(this.patience, PATIENCE_AT_START),
    );
    if (said === READY) return worker;
    worker.terminate();
    throw new LoadError(said);
  }

  /** The worker's next message. */
  #message<Message>(worker: SubjectWorker, what: string, patience: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      const stop = (error: Error) => {
        clearTimeout(watchdog);
        this.#worker = undefined;
        worker.terminate();
        reject(error);
      };
      const watchdog = setTimeout(() => {
        const sentence = `${what} did not come to an end within ${patience / 1000} s: does a loop never end?`;
        stop(new SubjectLimitError(sentence));
      }, patience);
      this.#cancel = () => stop(new CancelledError(`${what} was given up`));
      worker.onmessage = ({ data }: MessageEvent<Message | Endless>) => {
        if (isEndless(data)) {
          const { name, message, stack } = data.endless;
          const how = name === "TooMuchMemoryError" ? "takes too much memory" : "does not come to an end";
          const sentence = `${what} ${how}: ${message}`;
          return stop(Object.assign(new SubjectLimitError(sentence), { stack }));
        }
        clearTimeout(watchdog);
        this.#cancel = () => {};
        resolve(data);
      };
      worker.onerror = event => {
        event.preventDefault();
        stop(
          new SubjectLimitError(`${what} took its worker down: ${event.message || "is its memory full?"}`),
        );
      };
    });
  }
}

function isEndless(data: unknown): data is Endless {
  return typeof data === "object" && data !== null && "endless" in data;
}
