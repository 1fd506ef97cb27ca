/** The page's side of the worker. A worker that dies or does not answer is ended, and with it its machines. */
import type { Answers, RequestMessage, RequestName, Requests, WorkerMessage } from "./protocol.ts";

/** What comes without being asked for. */
export type LabEvent = Extract<WorkerMessage, { kind: "output" | "status" }>;

export interface LabListener {
  happened(event: LabEvent): void;
  /** The worker is gone; the sentence says why. */
  lost(sentence: string): void;
}

/** A request was refused; its message says why. */
export class RefusedRequest extends Error {
  override readonly name = "RefusedRequest";
}

/** So long a worker may be silent, in milliseconds: its program is fetched, or a gigabyte is written. */
const PATIENCE = 30_000;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class RemoteLab {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isGone = false;

  constructor(private readonly listener: LabListener) {
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
      const timer = setTimeout(() => this.#lose(`it was silent for ${PATIENCE / 1000} seconds`), PATIENCE);
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
    if (message.kind === "output" || message.kind === "status") {
      this.listener.happened(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.kind === "answer") waiting.resolve(message.value);
    else waiting.reject(new RefusedRequest(message.sentence));
  }

  #lose(reason: string): void {
    if (this.#isGone) return;
    this.close();
    this.listener.lost(`The worker with the machines is gone: ${reason}.`);
  }
}
