/** The page's side of the worker with the machines of the sandbox. */
import { AskedWorker, type Unasked } from "../workers/asked-worker.ts";
import type { Answers, RequestMessage, RequestName, Requests, WorkerMessage } from "./protocol.ts";

/** What comes without being asked for. */
export type LabEvent = Unasked<WorkerMessage>;

export interface LabListener {
  happened(event: LabEvent): void;
  /** The worker is gone; the sentence says why. */
  lost(sentence: string): void;
}

/** So long a worker may be silent, in milliseconds: its program is fetched, or a gigabyte is written. */
const PATIENCE = 30_000;

export class RemoteLab {
  readonly #worker: AskedWorker<RequestMessage, LabEvent>;

  constructor(listener: LabListener) {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker = new AskedWorker(worker, {
      told: event => listener.happened(event),
      lost: reason => listener.lost(`The worker with the machines is gone: ${reason}.`),
    });
  }

  /** Rejects with a `RefusedRequest`, or never settles where the worker is lost: the listener is told of that. */
  request<Name extends RequestName>(name: Name, body: Requests[Name]): Promise<Answers[Name]> {
    return this.#worker.request({ name, body }, PATIENCE) as Promise<Answers[Name]>;
  }

  close(): void {
    this.#worker.close();
  }
}
