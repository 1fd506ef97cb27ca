/** Opening an engine, and choosing one for a guest. */
import type { EngineName, Hypervisor } from "./api.ts";
import { HypervisorError } from "./api.ts";
import { openKvm } from "./linux/hypervisor.ts";
import { type GuestNeed, probeKvm } from "./probe.ts";

export type { GuestNeed } from "./probe.ts";

/** Opens an engine by its name; throws a `HypervisorError` where it cannot run here. */
export async function openEngine(name: EngineName): Promise<Hypervisor> {
  if (name === "kvm") return openKvm();
  // Its code is loaded only where it is used: a guest on /dev/kvm starts without it.
  const { openSoft } = await import("./soft/soft.ts");
  return openSoft();
}

/** The wanted engine works, but not for what this guest needs. */
export class UnsuitableEngineError extends HypervisorError {
  constructor(obstacle: string) {
    super("engine kvm", obstacle, { remedy: "Run the guest on the soft engine" });
  }
}

export interface EngineChoice {
  readonly hypervisor: Hypervisor;
  /** Which engine it is and why, in one line for the terminal. */
  readonly sentence: string;
}

/**
 * The engine for a guest that needs these modes: the wanted one, else /dev/kvm where it runs such a
 * guest, else the soft engine. If "kvm" is wanted, throws an `UnsuitableEngineError` where it lacks a mode,
 * and a `HypervisorError` where it does not open at all. `reason` is why it is wanted, for the sentence.
 */
export async function chooseEngine(
  wanted: EngineName | undefined,
  needs: readonly GuestNeed[],
  reason = "as you asked",
): Promise<EngineChoice> {
  if (wanted === "soft") {
    return { hypervisor: await openEngine("soft"), sentence: `engine: soft, ${reason}` };
  }
  const obstacle = kvmObstacle(needs);
  if (!obstacle) {
    const why = wanted ? reason : "/dev/kvm runs this guest";
    return { hypervisor: await openEngine("kvm"), sentence: `engine: kvm, ${why}` };
  }
  if (wanted) {
    // Opening says best what is wrong with the device.
    if (!probeKvm().available) openKvm().close();
    throw new UnsuitableEngineError(obstacle);
  }
  return { hypervisor: await openEngine("soft"), sentence: `engine: soft, since ${obstacle}` };
}

/** Why /dev/kvm does not run a guest with these needs; empty where it does. */
function kvmObstacle(needs: readonly GuestNeed[]): string {
  const { available, problem, modes } = probeKvm();
  if (!available) return `${withoutRemedy(problem)} (npm run doctor tells more)`;
  const missing = needs.filter(need => !modes[need]).map(need => MODE_NAMES[need]);
  return missing.length ? `the KVM of this machine does not run ${missing.join(" and ")}` : "";
}

/** What the guest needs, in words. */
const MODE_NAMES: Readonly<Record<GuestNeed, string>> = {
  "real-mode": "real mode",
  "protected-mode": "32-bit protected mode",
  "protected-interrupts": "INT and IRET in protected mode",
  paging32: "32-bit paging",
  pae: "PAE paging",
  "long-mode": "long mode",
};

/** The problem alone: a line that is no error need not tell how to repair it. */
function withoutRemedy(problem: string): string {
  const [first = ""] = problem.split(/\. (?=[A-Z])/);
  return first.replace(/^open \/dev\/kvm: /, "/dev/kvm does not open: ");
}
