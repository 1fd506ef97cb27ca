/**
 * The end of the book: Debian's own kernel on our processor, our devices and our loader, to a shell.
 *
 * It runs in a process of its own, as a user would start it, and counts instructions instead of time, so
 * that a slow machine changes nothing but the wait.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { afterEach, expect, it } from "vitest";
import { DebianError } from "./apt.ts";
import { debianLinux } from "./debian.ts";

const PROMPT = "vmexit:/# ";
const WAIT = 500_000;

let child: ChildProcess | undefined;
afterEach(() => child?.kill("SIGKILL"));

it("boots Debian's Linux to a shell, runs programs in it, and ends with code 0 at poweroff", {
  timeout: 600_000,
}, async context => {
  try {
    await debianLinux(
      () => {},
      () => {},
    );
  } catch (error) {
    if (!(error instanceof DebianError)) throw error;
    context.skip(`Debian's packages cannot be fetched: ${error.message}`);
  }
  const guest = start(["linux", "--engine", "soft", "--virtual-time", "--append", "quiet"]);
  await guest.until(PROMPT);
  guest.type("uname -sm; grep -c ^processor /proc/cpuinfo; md5sum /bin/busybox | cut -c1-32\n");
  const answer = await guest.until(PROMPT);
  expect(answer).toMatch(/Linux i686\r\n1\r\n[0-9a-f]{32}\r\n/);
  // A sum that only a right processor gets: 1 MiB of zeros (RFC 1321's algorithm, by any other md5sum).
  guest.type("head -c 1048576 /dev/zero | md5sum; sleep 2; awk 'BEGIN { printf \"%.6f\\n\", 22 / 7 }'\n");
  const sums = await guest.until(PROMPT);
  expect(sums).toContain("b6d81b360a5672d80c27430f39153e2c");
  expect(sums).toContain("3.142857");
  guest.type("poweroff\n");
  expect(await guest.exitCode).toBe(0);
});

function start(words: readonly string[]) {
  const started = spawn(process.execPath, ["--import", "tsx", "sandbox/cli/sandbox.ts", ...words], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  child = started;
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
    type: (text: string) => started.stdin.write(text),
    /** What the guest wrote up to `text`, and with it; that is forgotten then. */
    until: (text: string) =>
      new Promise<string>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${JSON.stringify(text)} in: ${output}`)), WAIT);
        looked = () => {
          const at = output.indexOf(text);
          if (at < 0) return;
          clearTimeout(timer);
          looked = () => {};
          const seen = output.slice(0, at + text.length);
          output = output.slice(at + text.length);
          resolve(seen);
        };
        exitCode.then(code => reject(new Error(`it ended with code ${code}: ${output}`)));
        looked();
      }),
  };
}
