/**
 * A worker that answers requests, each by its number, and tells things unasked in between. One that dies, or is
 * silent for too long, is ended; whoever asked it hears of that once.
 */

/** A request was refused; its message says why. */
export class RefusedRequest extends Error {
  override readonly name = "RefusedRequest";
  /** `refusal` is what the worker posted. */
  constructor(readonly refusal: { readonly sentence: string }) {
    super(refusal.sentence);
  }
}

/** What a worker posts to settle a request. */
export type Settled =
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "refusal"; readonly id: number; readonly sentence: string };

/** Of all that a worker posts, what settles no request. */
export type Unasked<Message> = Exclude<Message, Settled>;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly body: unknown;
}

export interface WorkerListener<Told> {
  /** It said something unasked. */
  told(message: Told): void;
  /** It is gone; `reason` goes on with "… is gone: ". */
  lost(reason: string): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class AskedWorker<Asked extends Request, Told extends { readonly kind: string }> {
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isGone = false;
  #owed: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly worker: Worker,
    private readonly listener: WorkerListener<Told>,
  ) {
    worker.onmessage = ({ data }: MessageEvent<Told | Settled>) => {
      if (this.#isGone) return;
      if (isSettled(data)) this.#settle(data);
      else listener.told(data);
    };
    worker.onerror = event => {
      event.preventDefault();
      this.#lose(event.message || "its program could not be loaded");
    };
  }

  /**
   * Waits `patience` milliseconds for the answer. Rejects with a `RefusedRequest`, or never settles where the worker
   * is lost: the listener is told of that.
   */
  request(asked: Omit<Asked, "id">, patience: number): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#isGone) return;
      const timer = this.#watchdog(patience);
      this.#waiting.set(id, { resolve, reject, timer });
      this.worker.postMessage({ ...asked, id });
    });
  }

  /** From now on it owes something unasked, and that within `patience` milliseconds; nothing if that is left out. */
  expect(patience?: number): void {
    clearTimeout(this.#owed);
    this.#owed = patience === undefined || this.#isGone ? undefined : this.#watchdog(patience);
  }

  close(): void {
    this.#isGone = true;
    clearTimeout(this.#owed);
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.worker.terminate();
  }

  #settle(message: Settled): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.kind === "answer") waiting.resolve(message.value);
    else waiting.reject(new RefusedRequest(message));
  }

  #watchdog(patience: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#lose(`it was silent for ${patience / 1000} seconds`), patience);
  }

  #lose(reason: string): void {
    if (this.#isGone) return;
    this.close();
    this.listener.lost(reason);
  }
}

function isSettled(message: { readonly kind: string }): message is Settled {
  return message.kind === "answer" || message.kind === "refusal";
}
