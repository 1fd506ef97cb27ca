/** The page's side of a machine in a worker. When the worker is gone the page goes on: the next machine gets a new one. */
import type {
  Answers,
  RequestMessage,
  RequestName,
  Requests,
  Trouble,
  Update,
  WorkerMessage,
} from "../../sandbox/session/protocol.ts";
import { AskedWorker, type Unasked } from "../workers/asked-worker.ts";

export interface MachineListener {
  updated(update: Update): void;
  /** A layer or device threw; the machine can still be looked at. */
  failed(trouble: Trouble): void;
  /** The worker is gone, and the machine with it. */
  lost(trouble: Trouble): void;
}

/** So long a worker may be silent, in milliseconds; longer while it is still being fetched. */
const PATIENCE = 5000;
const PATIENCE_AT_START = 30_000;

/** Requests that change nothing: no view follows their answers. */
const ONLY_ASKS: readonly RequestName[] = ["read", "walk", "find"];

export class RemoteMachine {
  readonly #worker: AskedWorker<RequestMessage, Unasked<WorkerMessage>>;

  /** `worker` serves a machine, by default the site's own. `guess` is said of one that is gone without a word. */
  constructor(
    listener: MachineListener,
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
    guess = "",
  ) {
    this.#worker = new AskedWorker(worker, {
      told: message => {
        // A machine that runs owes the next view.
        const isOwed = message.kind === "update" && message.update.isRunning;
        this.#worker.expect(isOwed ? PATIENCE : undefined);
        if (message.kind === "update") listener.updated(message.update);
        else listener.failed(message);
      },
      lost: reason => listener.lost({ sentence: `The machine is gone: ${reason}${guess}.` }),
    });
  }

  /** Rejects with a `RefusedRequest`, or never settles where the worker is lost: the listener is told of that. */
  async request<Name extends RequestName>(name: Name, body: Requests[Name]): Promise<Answers[Name]> {
    const patience = name === "open" ? PATIENCE_AT_START : PATIENCE;
    const answer = await this.#worker.request({ name, body }, patience);
    if (!ONLY_ASKS.includes(name)) this.#worker.expect(PATIENCE);
    return answer as Answers[Name];
  }

  close(): void {
    this.#worker.close();
  }
}
