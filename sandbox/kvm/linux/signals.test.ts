import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";

const PROGRAM = fileURLToPath(new URL("spinning-guest.ts", import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Runs the program; sends it SIGINT once it sits in KVM_RUN, that is when it uses processor time. */
function outcomeOf(mode: string, interrupt: boolean): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", PROGRAM, mode]);
    let output = "";
    child.stdout.on("data", data => {
      output += data;
      if (interrupt && output === "running\n") setTimeout(() => child.kill("SIGINT"), 500);
    });
    child.stderr.on("data", data => {
      output += data;
    });
    const watchdog = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`still running after 20 s; it said: ${output}`));
    }, 20_000);
    child.on("exit", (code, signal) => {
      clearTimeout(watchdog);
      resolve({ code, signal, output });
    });
  });
}

describe("a guest that spins in a run without a bound", requires("kvm").options, () => {
  it("dies with its process on Ctrl-C", async () => {
    expect(await outcomeOf("plain", true)).toEqual({ code: null, signal: "SIGINT", output: "running\n" });
  });

  it("comes back with INTR when the process handles SIGINT, and the handler runs", async () => {
    expect(await outcomeOf("handler", true)).toEqual({
      code: 7,
      signal: null,
      output: 'running\n{"reason":"INTR","cause":"signal"}\nhandler\n',
    });
  });

  it("comes back with INTR when another thread kicks it", async () => {
    expect(await outcomeOf("worker", false)).toEqual({
      code: 0,
      signal: null,
      output: '{"reason":"INTR","cause":"kick"}\n',
    });
  });
});
