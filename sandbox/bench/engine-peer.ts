/** The peer in C over /dev/kvm: compiled on the spot, run as a child process. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HypervisorError } from "../kvm/api.ts";
import { probeKvm } from "../kvm/probe.ts";

export interface PeerProgram {
  exitsPerSecond(code: Uint8Array, exits: number): number;
  /** Runs a guest that counts EBX down to 0 and halts. */
  roundsPerSecond(code: Uint8Array, rounds: number): number;
  /** Deletes the program. */
  remove(): void;
}

const SOURCE = fileURLToPath(new URL("engine-peer.c", import.meta.url));

/** Throws a `HypervisorError` where there is no gcc or no /dev/kvm. */
export function compilePeer(): PeerProgram {
  const { available, problem } = probeKvm();
  if (!available) throw new HypervisorError("run the C peer", problem);
  const folder = mkdtempSync(join(tmpdir(), "vmexit-bench-"));
  const program = join(folder, "engine-peer");
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    execFileSync("gcc", ["-O2", "-Wall", "-o", program, SOURCE], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (cause) {
    remove();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HypervisorError("compile engine-peer.c", reason, {
      remedy: "Install gcc and the kernel's headers",
    });
  }
  const seconds = (mode: "exits" | "rounds", count: number, code: Uint8Array) =>
    Number(
      execFileSync(program, [mode, String(count), Buffer.from(code).toString("hex")], { encoding: "utf8" }),
    );
  return {
    exitsPerSecond: (code, exits) => exits / seconds("exits", exits, code),
    roundsPerSecond: (code, rounds) => rounds / seconds("rounds", rounds, code),
    remove,
  };
}
