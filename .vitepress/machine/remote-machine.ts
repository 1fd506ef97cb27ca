/**
 * The page's side of a machine in a worker. A worker that dies or does not answer is ended, and the page goes on:
 * the next machine gets a new one.
 */
import type {
  Answers,
  RequestMessage,
  RequestName,
  Requests,
  Update,
  WorkerMessage,
} from "../../sandbox/session/protocol.ts";

export interface MachineListener {
  updated(update: Update): void;
  /** A layer or device threw; the machine can still be looked at. */
  failed(sentence: string): void;
  /** The worker is gone, and the machine with it. */
  lost(sentence: string): void;
}

/** A request was refused; its message says why. */
export class RefusedRequest extends Error {
  override readonly name = "RefusedRequest";
}

/** So long a worker may be silent, in milliseconds; longer while it is still being fetched. */
const PATIENCE = 5000;
const PATIENCE_AT_START = 30_000;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class RemoteMachine {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isGone = false;

  constructor(private readonly listener: MachineListener) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => this.#receive(data);
    this.#worker.onerror = event => {
      event.preventDefault();
      this.#lose(event.message || "its program could not be loaded");
    };
  }

  /** Rejects with a `RefusedRequest`, or never settles where the worker is lost: the listener is told of that. */
  request<Name extends RequestName>(name: Name, body: Requests[Name]): Promise<Answers[Name]> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#isGone) return;
      const patience = name === "open" ? PATIENCE_AT_START : PATIENCE;
      const timer = setTimeout(() => this.#lose(`it was silent for ${patience / 1000} seconds`), patience);
      this.#waiting.set(id, { resolve: value => resolve(value as Answers[Name]), reject, timer });
      this.#worker.postMessage({ id, name, body } satisfies RequestMessage<Name>);
    });
  }

  close(): void {
    this.#isGone = true;
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.#worker.terminate();
  }

  #receive(message: WorkerMessage): void {
    switch (message.kind) {
      case "update":
        this.listener.updated(message.update);
        return;
      case "failure":
        this.listener.failed(message.sentence);
        return;
      default: {
        const waiting = this.#waiting.get(message.id);
        if (!waiting) return;
        this.#waiting.delete(message.id);
        clearTimeout(waiting.timer);
        if (message.kind === "answer") waiting.resolve(message.value);
        else waiting.reject(new RefusedRequest(message.sentence));
      }
    }
  }

  #lose(reason: string): void {
    if (this.#isGone) return;
    this.close();
    this.listener.lost(`The machine is gone: ${reason}.`);
  }
}
