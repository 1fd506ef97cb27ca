/** The sandbox in a process of its own, as a user starts it: for tests that talk to it over its terminal. */
import { spawn } from "node:child_process";

/** Milliseconds that one wait may take, on the slowest of hosts. */
const PATIENCE = 500_000;

export interface SandboxProcess {
  readonly exitCode: Promise<number | null>;
  type(text: string): void;
  /** What it wrote up to `text`, and with it; that is forgotten then. Rejects if it ends before. */
  until(text: string): Promise<string>;
  kill(): void;
}

/** The command that starts the sandbox from the project's folder. */
export const SANDBOX: readonly string[] = [process.execPath, "--import", "tsx", "sandbox/cli/sandbox.ts"];

/** `launcher` is a command that starts the one behind it, as `ip netns exec NAME` does. */
export function startSandbox(words: readonly string[], launcher: readonly string[] = []): SandboxProcess {
  const [program, ...rest] = [...launcher, ...SANDBOX, ...words] as [string, ...string[]];
  const started = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  let looked = () => {};
  for (const stream of [started.stdout, started.stderr]) {
    stream.on("data", chunk => {
      output += chunk;
      looked();
    });
  }
  const exitCode = new Promise<number | null>(resolve => started.on("close", resolve));
  return {
    exitCode,
    type: text => started.stdin.write(text),
    until: text =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no ${JSON.stringify(text)} in: ${output}`)),
          PATIENCE,
        );
        looked = () => {
          const at = output.indexOf(text);
          if (at < 0) return;
          clearTimeout(timer);
          looked = () => {};
          const seen = output.slice(0, at + text.length);
          output = output.slice(at + text.length);
          resolve(seen);
        };
        exitCode.then(code => {
          clearTimeout(timer);
          reject(new Error(`it ended with code ${code}: ${output}`));
        });
        looked();
      }),
    kill: () => started.kill("SIGKILL"),
  };
}
