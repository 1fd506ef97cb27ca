/** A terminal that a test types into and looks at: tmux on a socket of its own. */
import { execFileSync } from "node:child_process";

export class Tmux {
  readonly #socket = `vmexit-learn-${process.pid}`;

  /** Starts a command in a window of 80 columns and 24 rows. */
  constructor(folder: string, command: string, environment: Readonly<Record<string, string>> = {}) {
    const settings = Object.entries(environment).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    this.#tmux(
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      "-x",
      "80",
      "-y",
      "24",
      "-c",
      folder,
      ...settings,
      command,
    );
    this.#tmux("set-option", "-g", "remain-on-exit", "on");
  }

  press(...keys: readonly string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  /** The screen's text; with `colours` as ANSI sequences. */
  screen(colours = false): string {
    return this.#tmux("capture-pane", "-p", ...(colours ? ["-e"] : []));
  }

  /** The exit code of the command; undefined while it runs. */
  exitCode(): number | undefined {
    const [dead, code] = this.#tmux("display-message", "-p", "#{pane_dead} #{pane_dead_status}")
      .trim()
      .split(" ");
    if (dead !== "1") return undefined;
    if (code) return Number(code);
    // tmux 3.3 sometimes misses that its child has ended; when the next one ends it looks for both.
    this.#tmux("run-shell", "true");
    return undefined;
  }

  close(): void {
    this.#tmux("kill-server");
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync("tmux", ["-L", this.#socket, ...args], { encoding: "utf8" });
  }
}
