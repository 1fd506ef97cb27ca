/**
 * The end of the book: Debian's own kernel on our processor, our devices and our loader, to a shell.
 *
 * It runs in a process of its own, as a user would start it, and counts instructions instead of time, so
 * that a slow machine changes nothing but the wait.
 */
import { afterEach, expect, it } from "vitest";
import { type SandboxProcess, startSandbox } from "../sandbox-process.ts";
import { requireDebian } from "./debian-fixture.ts";

const PROMPT = "vmexit:/# ";

let guest: SandboxProcess | undefined;
afterEach(() => guest?.kill());

it("boots Debian's Linux to a shell, runs programs in it, and ends with code 0 at poweroff", {
  timeout: 600_000,
}, async context => {
  await requireDebian(context);
  guest = startSandbox(["linux", "--engine", "soft", "--virtual-time", "--append", "quiet"]);
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
