import { describe, expect, it } from "vitest";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import { requires } from "../../chapters/tools/requires.ts";
import { nodeHost } from "../cli/node-host.ts";
import type { EngineName } from "../kvm/api.ts";
import { openEngine } from "../kvm/engines.ts";
import { probeKvm } from "../kvm/probe.ts";
import { assembleMachine, type MachineEnd } from "../machine/machine.ts";
import { MachineRunner } from "../machine/runner.ts";
import { RealTime } from "../machine/timekeeper.ts";
import { MemorySockets } from "../net/memory-sockets.ts";
import { UserNetwork } from "../net/user-network.ts";
import { loadGuest, MAC, MEMORY } from "./guest-dialogue.ts";

/** In the host's time: types each line at a prompt and returns all output once the guest has halted. */
async function talk(engine: EngineName, commandLine: string, lines: readonly string[]): Promise<string> {
  const hypervisor = await openEngine(engine);
  const host = new MemorySockets({ later: callback => void setImmediate(callback) });
  let output = "";
  const left = [...lines];
  const machine = assembleMachine({
    hypervisor,
    memorySize: MEMORY,
    startDate: 0,
    time: counter => new RealTime(counter, nodeHost.monotonic),
    network: {
      backend: (clock): NetBackend => new UserNetwork({ clock, host }),
      mac: MAC,
      transport: "mmio",
    },
    serialOutput(byte) {
      output += String.fromCharCode(byte);
      if (output.endsWith("\n> ") && left.length > 0) {
        const line = new TextEncoder().encode(`${left.shift()}\r`);
        // Not out of the middle of the device that speaks.
        setImmediate(() => machine.type(line));
      }
    },
  });
  try {
    loadGuest(machine, commandLine);
    const end = await new Promise<MachineEnd>((resolve, reject) => {
      const runner = new MachineRunner(machine, nodeHost, { ended: resolve, failed: reject });
      runner.start();
    });
    expect(end).toEqual({ kind: "halted" });
    return output;
  } finally {
    machine.close();
    hypervisor.close();
  }
}

/** What depends on how fast the host is: counts and times. */
const withoutTimes = (output: string) =>
  output
    .replace(/[\d.]+ ms/g, "… ms")
    .replace(/\d+ ticks, \d+ s/g, "… ticks, … s")
    .replace(/(IRQ \d) {2}\d+/g, "$1  …")
    .replace(/, \d+ s left/g, ", … s left")
    .replace(/(available|used|segments|frames) +\d+( received, \d+ sent)?/g, "$1 …");

const LINES = ["help", "mem", "irq", "ticks", "fault", "ping 10.0.2.2 2", "net", "nonsense", "halt"];

describe("the embedded guest without paging", () => {
  it("says the same on /dev/kvm as on the soft engine, times aside", {
    timeout: 60_000,
    ...requires("kvm").options,
  }, async context => {
    const { available, problem, modes } = probeKvm();
    if (!available || !modes["protected-mode"]) context.skip(`no 32-bit guest on /dev/kvm: ${problem}`);
    const soft = await talk("soft", "nopaging", LINES);
    const kvm = await talk("kvm", "nopaging", LINES);
    expect(soft).toContain("network  10.0.2.15, gateway 10.0.2.2\r\n");
    expect(soft).toContain("2 sent, 2 received\r\n");
    expect(withoutTimes(kvm)).toBe(withoutTimes(soft));
  });

  it("with paging, where the processor virtualizes", {
    timeout: 60_000,
    ...requires("kvm").options,
  }, async context => {
    const { available, modes } = probeKvm();
    if (!available || !modes.paging32) context.skip("the KVM of this machine does not run 32-bit paging");
    const [soft, kvm] = [await talk("soft", "", LINES), await talk("kvm", "", LINES)];
    expect(withoutTimes(kvm)).toBe(withoutTimes(soft));
  });
});
