/** `npm run sandbox` in a real terminal, as somebody sits before it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires } from "../../chapters/tools/requires.ts";
import { SANDBOX } from "./sandbox-process.ts";
import { TestTerminal } from "./test-terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-terminal-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const GUEST = ["--engine", "soft", "--memory", "16"];
const shellLine = (words: readonly string[]) => [...SANDBOX, ...words].join(" ");
/** The guest's prompt is the last that stands there. */
const PROMPT = /\n>\s*$/;

describe("in a terminal, the sandbox", { ...requires("tmux").options, timeout: 400_000 }, () => {
  let terminal: TestTerminal;
  beforeEach(() => {
    terminal = new TestTerminal();
  });
  afterEach(() => terminal.close());

  it("gives the guest every key but Ctrl-], tells how it stands, and leaves the terminal as it was", async () => {
    const mode = (name: string) => `stty -g > ${join(folder, name)}`;
    terminal.enter(mode("before"));
    terminal.enter(`${shellLine(GUEST)}; echo "ended with $?"; ${mode("after")}`);
    const start = await terminal.until(PROMPT);
    expect(start).toContain("Ctrl-] and then: q quit, w save, s status, ] send Ctrl-], h these keys");
    expect(start).toContain("network  10.0.2.15, gateway 10.0.2.2");

    terminal.enter("help");
    expect(await terminal.until(/stop the machine\n>\s*$/)).toMatch(/help +this list/);
    // Ctrl-C is a key like others, not the end of it.
    terminal.press("C-c");
    terminal.enter("ping 10.0.2.2 1");
    await terminal.until(/1 sent, 1 received/);

    terminal.press("C-]");
    terminal.type("s");
    const status = await terminal.until(/engine soft · 16 MiB · [^\n]*frames sent[^\n]*/);
    expect(status).toMatch(
      /· guest time [\d.]+ s · \d+ exits · .* · user network · [1-9]\d* frames sent, [1-9]\d* received/,
    );

    terminal.press("C-]");
    terminal.type("q");
    await terminal.until(/ended with 0/);
    terminal.enter("echo the shell $((40 + 2)) again");
    await terminal.until(/\nthe shell 42 again/);
    expect(readFileSync(join(folder, "after"), "utf8")).toBe(readFileSync(join(folder, "before"), "utf8"));
  });

  it("saves a machine by Ctrl-] w that goes on in a new process, its network with it", async () => {
    const file = join(folder, "machine.save");
    terminal.enter(`${shellLine([...GUEST, "--save", file])}; echo "ended with $?"`);
    await terminal.until(PROMPT);
    terminal.enter("ping 10.0.2.2 1");
    await terminal.until(/1 sent, 1 received/);
    terminal.press("C-]");
    terminal.type("w");
    expect(await terminal.until(/go on with: /)).toContain(`saved to ${file}, `);
    terminal.press("C-]");
    terminal.type("q");
    await terminal.until(/ended with 0/);

    const restore = ["--engine", "soft", "--restore", file];
    terminal.enter(`clear; ${shellLine(restore)}; echo "again ended with $?"`);
    await terminal.until(/Ctrl-\] and then/);
    terminal.enter("net");
    const net = await terminal.until(/answered +0 echoes/);
    expect(net).toMatch(/address +10\.0\.2\.15\/24, leased/);
    expect(net).toMatch(/gateway +10\.0\.2\.2/);
    terminal.enter("ping 10.0.2.2 2");
    await terminal.until(/2 sent, 2 received/);
    terminal.enter("halt");
    await terminal.until(/again ended with 0/);

    const withoutCard = spawnSync(SANDBOX[0]!, [...SANDBOX.slice(1), ...restore, "--net", "none"], {
      encoding: "utf8",
    });
    expect(withoutCard.status).toBe(2);
    expect(withoutCard.stderr.trim().split("\n").at(-1)).toBe(
      "this machine was saved with the network card 52:54:00:12:34:56 over virtio-mmio, and it now has none",
    );
  });
});
