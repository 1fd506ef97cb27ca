import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { EngineName } from "../../sandbox/kvm/api.ts";
import { openEngine } from "../../sandbox/kvm/engines.ts";
import { requires } from "../tools/requires.ts";
import { bootGuest } from "./subject.ts";

async function run(engine: EngineName, name: string) {
  const image = readFileSync(fileURLToPath(new URL(`./guest/${name}.bin`, import.meta.url)));
  const hypervisor = await openEngine(engine);
  try {
    return bootGuest(hypervisor, new Uint8Array(image));
  } finally {
    hypervisor.close();
  }
}

const QUESTION = "→ ARP who has 10.0.2.2? tell 10.0.2.15";
const ANSWER = "← ARP 10.0.2.2 is at 52:55:0a:00:02:02";

for (const engine of ["soft", "kvm"] as const) {
  describe(`the guests of chapter 7 on ${engine}`, engine === "kvm" ? requires("kvm").options : {}, () => {
    it("probe: two refusals, one agreement, and the address", async () => {
      const { output, last } = await run(engine, "probe");
      expect(output.split("\n").slice(2)).toEqual([
        "wants   MAC alone: refused, status 0x03",
        "wants   MAC and bit 24: refused, status 0x03",
        "wants   MAC and VERSION_1: agreed, status 0x0b",
        "queues  256 256  64 entries",
        "MAC     52:54:00:12:34:56",
        "",
      ]);
      expect(last).toBe("HLT");
    });

    it("arp: a question, an answer, two interrupts", async () => {
      const { output, packets, exits } = await run(engine, "arp");
      expect(output).toBe(
        "10.0.2.2 is at 52:55:0a:00:02:02\n" +
          "2 interrupts: one for the question that was sent, one for the answer\n",
      );
      expect(packets).toEqual([QUESTION, ANSWER]);
      expect(exits["HLT"], "it slept once for the answer").toBe(2);
    });

    it("ping: three answers with the checksums that follow from the questions'", async () => {
      const { output, packets } = await run(engine, "ping");
      expect(output).toBe(
        "echo 1 with checksum 0xa3a2, answered with 0xaba2\n" +
          "echo 2 with checksum 0xa3a1, answered with 0xaba1\n" +
          "echo 3 with checksum 0xa3a0, answered with 0xaba0\n" +
          "lost 0 of 3\n",
      );
      const echoes = [1, 2, 3].flatMap(number => [
        `→ ICMP 10.0.2.15 → 10.0.2.2 echo request ${number}, 32 bytes`,
        `← ICMP 10.0.2.2 → 10.0.2.15 echo reply ${number}, 32 bytes`,
      ]);
      expect(packets).toEqual([QUESTION, ANSWER, ...echoes]);
    });

    it("burst: 64 notifications and interrupts become 8 and 1", async () => {
      const { output, packets } = await run(engine, "burst");
      const counts = output
        .trimEnd()
        .split("\n")
        .slice(1)
        .map(line => line.match(/\d+/g)!.map(Number));
      expect(counts).toEqual([
        [64, 64],
        [16, 16],
        [8, 8],
        [8, 1],
      ]);
      expect(packets).toEqual(Array(256).fill("→ UDP 10.0.2.15 → 255.255.255.255 port 9, 22 bytes"));
    });
  });
}

describe("the two engines", requires("kvm").options, () => {
  it("leave the guest at the same exits", async () => {
    for (const name of ["probe", "arp", "ping", "burst"]) {
      expect((await run("soft", name)).exits, name).toEqual((await run("kvm", name)).exits);
    }
  });
});
