/** A network namespace of the host's own kernel, for tests that look at a TAP device from its other end. */
import { execFileSync } from "node:child_process";
import { type Requirement, requires } from "../../../chapters/tools/requires.ts";

/** What a test in a namespace needs, or the first thing of that which is missing. */
export function requireNamespace(): Requirement {
  const needed = (["tun", "ip", "ping", "setpriv"] as const).map(requires);
  return needed.find(({ available }) => !available) ?? needed[0]!;
}

export class Namespace {
  /** Before a command: it runs inside. */
  readonly launcher: readonly string[];

  constructor(readonly name: string) {
    execFileSync("ip", ["netns", "add", name], { stdio: "pipe" });
    this.launcher = ["ip", "netns", "exec", name];
  }

  /** Runs a command inside to its end, and returns what it wrote. */
  run(...command: string[]): string {
    const [program, ...rest] = [...this.launcher, ...command] as [string, ...string[]];
    return execFileSync(program, rest, { encoding: "utf8" });
  }

  /** Makes the kernel's end of a TAP device the gateway of the guest's network. */
  beGateway(device: string): void {
    this.run("ip", "link", "set", device, "address", "52:55:0a:00:02:02", "up");
    this.run("ip", "address", "add", "10.0.2.2/24", "dev", device);
  }

  /** Answers of 10.0.2.15 to `count` pings, two milliseconds apart; and ping's line about the times. */
  ping(count: number): { readonly received: number; readonly times: string } {
    const text = this.run("ping", "-q", "-c", String(count), "-i", "0.002", "10.0.2.15");
    const [, received] = /(\d+) received/.exec(text) ?? [];
    return { received: Number(received), times: text.trim().split("\n").at(-1)! };
  }

  close(): void {
    execFileSync("ip", ["netns", "delete", this.name]);
  }
}
