import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type NetMachine, openNetMachine } from "./net-machine.ts";

const ROOT = join(import.meta.dirname, "../..");
const open = (guest: string) =>
  openNetMachine(readFileSync(join(ROOT, `chapters/07-virtio-net/guest/${guest}.bin`)));

function runToEnd(machine: NetMachine): ReturnType<NetMachine["view"]> {
  for (let slices = 0; slices < 100 && !machine.view().ended; slices++) machine.run();
  return machine.view();
}

/** What the book's output shows after a word and its bar. */
const shown = (guest: string, word: string) =>
  [
    ...readFileSync(join(ROOT, `docs/outputs/07-${guest}.txt`), "utf8").matchAll(
      new RegExp(`^${word} │ (.*)$`, "gm"),
    ),
  ].map(([, line]) => line!);

describe("the machine of chapter 7 in the page", () => {
  it.each(["probe", "arp", "ping", "burst"])("%s prints what it prints in the book", guest => {
    const machine = open(guest);
    const { output, ended } = runToEnd(machine);
    expect(output.trimEnd().split("\n")).toEqual(shown(guest, "guest"));
    expect(ended).toBe("HLT");
    machine.close();
  });

  it("goes from frame to frame, and the rings' indices with it", () => {
    const machine = open("ping");
    for (const line of shown("ping", "rings")) {
      machine.toPacket();
      const words = machine
        .view()
        .rings.map(
          ({ name, available, used }) => `${name}: available ${available.index}, used ${used.index}`,
        );
      expect(words.join("    ")).toBe(line);
    }
    expect(machine.view().packets.map(({ number, protocol }) => `${number} ${protocol}`)).toEqual([
      ...["1 ARP", "2 ARP", "3 ICMP", "4 ICMP", "5 ICMP", "6 ICMP", "7 ICMP", "8 ICMP"],
    ]);
    machine.close();
  });

  it("goes by single instructions, and shows a chain while the driver writes it", () => {
    const machine = open("arp");
    const transmit = () => machine.view().rings.find(({ name }) => name === "transmit");
    for (let steps = 0; steps < 20_000 && transmit()?.available.index !== 1; steps++) machine.step();
    expect(transmit()).toMatchObject({ taken: 0, returned: 0, used: { index: 0 } });
    expect(transmit()!.descriptors.slice(0, 2)).toMatchObject([
      { length: 12, flags: 1, next: 1 },
      { length: 42, flags: 0 },
    ]);
    machine.toExit();
    expect(transmit()).toMatchObject({ taken: 1, returned: 1, used: { index: 1 } });
    machine.close();
  });
});
