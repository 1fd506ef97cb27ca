/**
 * The contestants of `bench cpu`, each in a process of its own: what one leaves behind in a heap or a
 * compiler does not burden another.
 *
 * Those that live in Node stay, and run one pass after the other, so that they are warm.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Pass } from "./cpu-pass.ts";

type Answer = { readonly pass: Pass } | { readonly error: string };

/** In the child: answers each message with a pass. Returns when the parent lets go. */
export async function serveRuns(runPass: () => Pass | Promise<Pass>): Promise<void> {
  const send = (answer: Answer) => process.send?.(answer);
  process.on("message", async () => {
    try {
      send({ pass: await runPass() });
    } catch (error) {
      send({ error: error instanceof Error ? error.message : String(error) });
    }
  });
  await new Promise<void>(resolve => process.once("disconnect", resolve));
  process.exit();
}

export class Child {
  readonly #process: ChildProcess;

  /** Starts `file`, which lies in this folder. */
  constructor(file: string, words: readonly string[] = []) {
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), words, {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
  }

  /** One pass, or an error after `seconds`. */
  runPass(seconds: number): Promise<Pass> {
    return new Promise((resolve, reject) => {
      const child = this.#process;
      const finish = (answer: Answer) => {
        clearTimeout(timer);
        child.off("message", finish);
        child.off("exit", died);
        if ("pass" in answer) resolve(answer.pass);
        else reject(new Error(answer.error));
      };
      const died = (code: number | null) => finish({ error: `the process ended with code ${code}` });
      const timer = setTimeout(() => finish({ error: `no end after ${seconds} seconds` }), seconds * 1000);
      child.on("message", finish);
      child.once("exit", died);
      child.send("run");
    });
  }

  close(): void {
    this.#process.kill();
  }
}
