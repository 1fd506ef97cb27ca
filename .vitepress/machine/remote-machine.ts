/** The page's side of a machine in a worker. When the worker is gone the page goes on: the next machine gets a new one. */
import type {
  Answers,
  RequestMessage,
  RequestName,
  Requests,
  Update,
  WorkerMessage,
} from "../../sandbox/session/protocol.ts";
import { AskedWorker, type Unasked } from "../workers/asked-worker.ts";

export interface MachineListener {
  updated(update: Update): void;
  /** A layer or device threw; the machine can still be looked at. */
  failed(sentence: string): void;
  /** The worker is gone, and the machine with it. */
  lost(sentence: string): void;
}

/** So long a worker may be silent, in milliseconds; longer while it is still being fetched. */
const PATIENCE = 5000;
const PATIENCE_AT_START = 30_000;

export class RemoteMachine {
  readonly #worker: AskedWorker<RequestMessage, Unasked<WorkerMessage>>;

  constructor(listener: MachineListener) {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker = new AskedWorker(worker, {
      told: message => {
        if (message.kind === "update") listener.updated(message.update);
        else listener.failed(message.sentence);
      },
      lost: reason => listener.lost(`The machine is gone: ${reason}.`),
    });
  }

  /** Rejects with a `RefusedRequest`, or never settles where the worker is lost: the listener is told of that. */
  request<Name extends RequestName>(name: Name, body: Requests[Name]): Promise<Answers[Name]> {
    const patience = name === "open" ? PATIENCE_AT_START : PATIENCE;
    return this.#worker.request({ name, body }, patience) as Promise<Answers[Name]>;
  }

  close(): void {
    this.#worker.close();
  }
}
