import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { EngineName } from "../../sandbox/kvm/api.ts";
import { openEngine } from "../../sandbox/kvm/engines.ts";
import { requires } from "../tools/requires.ts";
import { COMMAND_LINE, INITRD } from "./machine.ts";
import { bootKernel } from "./subject.ts";

async function run(engine: EngineName, name: string) {
  const image = readFileSync(fileURLToPath(new URL(`./guest/${name}.bin`, import.meta.url)));
  const hypervisor = await openEngine(engine);
  try {
    const { output, last } = bootKernel(hypervisor, new Uint8Array(image), COMMAND_LINE, INITRD);
    return { lines: output.trimEnd().split("\n"), last };
  } finally {
    hypervisor.close();
  }
}

const MAP = [
  "memory map     4 lines",
  "  0x0000_0000 to 0x0009_fc00  usable",
  "  0x0009_fc00 to 0x000a_0000  reserved",
  "  0x000f_0000 to 0x0010_0000  reserved",
  "  0x0010_0000 to 0x0040_0000  usable",
];

for (const engine of ["soft", "kvm"] as const) {
  describe(`the kernels of chapter 8 on ${engine}`, engine === "kvm" ? requires("kvm").options : {}, () => {
    it("tiny: finds its boot parameters, command line, initial RAM disk and memory", async () => {
      expect(await run(engine, "tiny")).toEqual({
        last: "HLT",
        lines: [
          "Hello from 0x0010_0130. My boot parameters are at 0x0001_0000.",
          "header         there, loader 0xff",
          "command line   console=ttyS0 quiet",
          "initrd         31 bytes at 0x003f_f000, their sum is 0x0000_0a38",
          ...MAP,
        ],
      });
    });

    it("entry: the processor is as the protocol promises", async () => {
      const { lines, last } = await run(engine, "entry");
      expect(last).toBe("HLT");
      expect(lines).toHaveLength(9);
      for (const line of lines) expect(line).toMatch(/ ok$/);
    });

    it("pvh: finds its start info, command line, module and memory", async () => {
      expect(await run(engine, "pvh")).toEqual({
        last: "HLT",
        lines: [
          "Hello from 0x0010_01cb. My start info is at 0x0001_0000.",
          "magic          0x336e_c578, version 1",
          "command line   console=ttyS0 quiet",
          "modules        1, the first of 31 bytes at 0x003f_f000, their sum is 0x0000_0a38",
          ...MAP,
          "behind the file are zeros",
        ],
      });
    });
  });
}
