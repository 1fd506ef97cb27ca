/** The page's side of the test bench. A bench that dies is replaced by the next run. */
import type { BenchMessage, RunRequest } from "./bench-protocol.ts";

export class RemoteBench {
  #worker: Worker | undefined;
  #run = 0;

  /** `tell` hears of the latest run only. */
  constructor(private readonly tell: (message: BenchMessage) => void) {}

  /** Runs tests; a run that is under way is given up. */
  run(request: Omit<RunRequest, "run">): void {
    this.#worker ??= this.#start();
    const run = ++this.#run;
    this.#worker.postMessage({ ...request, run } satisfies RunRequest);
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./bench-worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<BenchMessage>) => {
      if (data.run === this.#run) this.tell(data);
    };
    worker.onerror = event => {
      event.preventDefault();
      this.close();
      const message = event.message || "the tests could not be fetched; is the network there?";
      this.tell({ run: this.#run, kind: "failure", message });
    };
    return worker;
  }
}
