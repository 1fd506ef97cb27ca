import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { EngineName } from "../../sandbox/kvm/api.ts";
import { openEngine } from "../../sandbox/kvm/engines.ts";
import { requires } from "../tools/requires.ts";
import { bootGuest } from "./subject.ts";

async function run(engine: EngineName, name: string, typed = "") {
  const image = readFileSync(fileURLToPath(new URL(`./guest/${name}.bin`, import.meta.url)));
  const hypervisor = await openEngine(engine);
  try {
    return bootGuest(hypervisor, new Uint8Array(image), typed);
  } finally {
    hypervisor.close();
  }
}

for (const engine of ["soft", "kvm"] as const) {
  describe(`the guests of chapter 6 on ${engine}`, engine === "kvm" ? requires("kvm").options : {}, () => {
    it("hello: a line at 115,200 baud and one at 9,600, each in its time", async () => {
      const { output, last, time } = await run(engine, "hello");
      expect(output).toBe("A character takes 87 microseconds.\nNow it takes a millisecond.\n");
      expect(last).toBe("HLT");
      const line = 35 * (10 / 115_200) + 28 * (10 / 9600);
      expect(time / 1e9).toBeCloseTo(line, 4);
    });

    it("echo: capitals, nine full triggers of eight and three stragglers", async () => {
      const typed = "every byte you paste arrives,\nnone is lost: the line waits for the guest.\n\x04";
      const { output, last } = await run(engine, "echo", typed);
      expect(typed.length).toBe(9 * 8 + 3);
      expect(output).toBe(
        `${typed.slice(0, -1).toUpperCase()}9 interrupts at the trigger level, 3 by the timeout, 12 by the empty transmitter\n`,
      );
      expect(last).toBe("HLT");
    });

    it("echo: 200 bytes pasted at once come back whole", async () => {
      const typed = Array.from({ length: 200 }, (_, at) => String.fromCharCode(33 + (at % 60))).join("");
      const { output } = await run(engine, "echo", `${typed}\x04`);
      expect(output.startsWith(typed.toUpperCase())).toBe(true);
    });

    it("loopback: every self-test is ok", async () => {
      const { output } = await run(engine, "loopback");
      expect(
        output
          .trimEnd()
          .split("\n")
          .map(line => line.slice(21)),
      ).toEqual(Array(6).fill("ok"));
    });
  });
}
