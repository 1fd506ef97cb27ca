/**
 * A thread that sits in KVM_RUN for a vCPU, so that a guest that computes for long does not stop the event
 * loop of the thread that owns the vCPU.
 *
 * The two share a few words of memory. Only one of them uses the vCPU at a time: the state says which.
 *
 *     AT_HOME ── start ──> AWAY ── the thread's KVM_RUN ended ──> DONE ── comeBack ──> AT_HOME
 */
import { Worker } from "node:worker_threads";
import { kickThread } from "./alarm.ts";

/** The shared words: whose turn it is, and what goes with it. */
export const STATE = 0;
export const DESCRIPTOR = 1;
/** How KVM_RUN ended: 0 with an exit, else errno. */
export const RESULT = 2;
/** The owner wants the vCPU back. */
export const KICKED = 3;
/** The thread's ID, once it is ready to run guests. */
export const THREAD = 4;
const WORDS = 5;

export const AT_HOME = 0;
export const AWAY = 1;
export const DONE = 2;
export const CLOSED = 3;

/** Milliseconds after which a kick is sent again: it may have come before the thread was there to take it. */
const KICK_AGAIN = 10;

export class RunThread {
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  readonly #worker: Worker;
  #round = 0;
  #onDone: () => void = () => {};

  constructor() {
    const program = JSON.stringify(new URL("run-thread-program.ts", import.meta.url).href);
    // On Node 20 a worker does not take over the TypeScript loader of its parent.
    const start = `import("tsx/esm/api").then(({ tsImport }) => tsImport(${program}, ${program}))`;
    this.#worker = new Worker(start, { eval: true, workerData: this.#words });
    this.#worker.unref();
    this.#worker.on("message", round => {
      if (round === this.#round && this.isAway) this.#onDone();
    });
    // Then `isReady` never comes true, and the vCPU runs in its own thread alone, which works as well.
    this.#worker.on("error", () => Atomics.store(this.#words, THREAD, 0));
  }

  /** Starting a thread takes a while. */
  get isReady(): boolean {
    return Atomics.load(this.#words, THREAD) !== 0;
  }

  /** The thread has the vCPU, or its exit was not fetched yet. */
  get isAway(): boolean {
    const state = Atomics.load(this.#words, STATE);
    return state === AWAY || state === DONE;
  }

  /** Enters the guest; `onDone` is called from the event loop when it has come to an exit. */
  start(descriptor: number, onDone: () => void): void {
    this.#round++;
    this.#onDone = onDone;
    Atomics.store(this.#words, DESCRIPTOR, descriptor);
    Atomics.store(this.#words, KICKED, 0);
    Atomics.store(this.#words, STATE, AWAY);
    Atomics.notify(this.#words, STATE);
    // A guest that runs is a reason for the process to go on.
    this.#worker.ref();
  }

  /** Waits for the end of KVM_RUN, which `immediate_exit` and a signal bring about. Returns 0 or errno. */
  comeBack(): number {
    Atomics.store(this.#words, KICKED, 1);
    const handle = { process: process.pid, thread: Atomics.load(this.#words, THREAD) };
    while (Atomics.load(this.#words, STATE) === AWAY) {
      kickThread(handle);
      Atomics.wait(this.#words, STATE, AWAY, KICK_AGAIN);
    }
    Atomics.store(this.#words, STATE, AT_HOME);
    Atomics.notify(this.#words, STATE);
    this.#worker.unref();
    return Atomics.load(this.#words, RESULT);
  }

  /** Ends the thread. Call `comeBack` before. */
  close(): void {
    Atomics.store(this.#words, STATE, CLOSED);
    Atomics.notify(this.#words, STATE);
  }
}
