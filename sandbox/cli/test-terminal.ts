/** A real terminal for tests: tmux, with a shell in it; keys go in, and what stands on the screen comes out. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** Milliseconds between two looks at the screen. */
const BETWEEN_LOOKS = 100;
/** Milliseconds that one wait may take, on the slowest of hosts. */
const PATIENCE = 120_000;

export class TestTerminal {
  readonly #folder = mkdtempSync(join(tmpdir(), "vmexit-terminal-"));

  constructor() {
    this.#tmux("new-session", "-d", "-x", "200", "-y", "50", "env -i PATH=\"$PATH\" TERM=screen PS1='$ ' sh");
  }

  #tmux(...words: string[]): string {
    // A server of its own, with nobody's configuration.
    const server = ["-S", join(this.#folder, "socket"), "-f", "/dev/null"];
    return execFileSync("tmux", [...server, ...words], { encoding: "utf8" });
  }

  type(text: string): void {
    this.#tmux("send-keys", "-l", text);
  }

  /** By tmux's names: `Enter`, `C-]`. */
  press(...keys: string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  /** A line for the shell or the guest. */
  enter(line: string): void {
    this.type(line);
    this.press("Enter");
  }

  /** What stands on the screen, and what went off it; long lines whole. */
  get text(): string {
    return this.#tmux("capture-pane", "-p", "-J", "-S", "-");
  }

  /** Waits until that is on the screen, and returns the screen. */
  async until(what: RegExp): Promise<string> {
    for (let waited = 0; waited < PATIENCE; waited += BETWEEN_LOOKS) {
      const { text } = this;
      if (what.test(text)) return text;
      await setTimeout(BETWEEN_LOOKS);
    }
    throw new Error(`no ${what} on the terminal: ${this.text}`);
  }

  close(): void {
    this.#tmux("kill-server");
    rmSync(this.#folder, { recursive: true });
  }
}
