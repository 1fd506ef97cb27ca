import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { exceptionName } from "#layers/04-interrupts/exceptions.ts";
import { PicPair } from "#layers/04-interrupts/pic.ts";
import { pcFacts, wholeMachine } from "./pc-facts.ts";
import { PORT_NOTES } from "./port-registers.ts";

const facts = pcFacts();

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the page “Ports, vectors and memory map”", () => {
  it("says something of every device on the port bus, and of no other", () => {
    expect(Object.keys(PORT_NOTES).sort()).toEqual(facts.ports.map(({ name }) => name).sort());
    for (const { file } of Object.values(PORT_NOTES)) {
      expect(existsSync(join(import.meta.dirname, "../..", file)), file).toBe(true);
    }
  });

  it("has the ports at which the assembled machine answers, and only those", () => {
    const { ports } = wholeMachine().parts.buses;
    const answering = ports.ranges.map(({ name, start, length }) => ({ name, start, length }));
    expect(facts.ports).toEqual(answering.sort((a, b) => a.start - b.start));
    const listed = new Set(
      facts.ports.flatMap(({ start, length }) => Array.from({ length }, (_, at) => start + at)),
    );
    for (let port = 0; port < 0x1_0000; port++) {
      if (!listed.has(port)) expect(ports.read(port, 1), `port ${port.toString(16)}`).toBe(0xff);
    }
  });

  it("has the interrupt lines that the machine wires, and the cascade", () => {
    const line = vi.spyOn(PicPair.prototype, "line");
    wholeMachine();
    const wired = new Set(line.mock.calls.map(([irq]) => irq)).add(2);
    expect(facts.interrupts.map(({ irq }) => irq)).toEqual([...wired].sort((a, b) => a - b));
  });

  it("covers all 32-bit addresses, each once, with the slots and devices of the machine", () => {
    let end = 0;
    for (const { start, length } of facts.memory) {
      expect(start).toBe(end);
      end += length;
    }
    expect(end).toBe(2 ** 32);
    const { memory, buses } = wholeMachine().parts;
    expect(facts.memory.filter(({ kind }) => kind === "RAM").map(({ start }) => start)).toEqual(
      memory.slots.map(({ guestAddress }) => guestAddress),
    );
    expect(
      facts.memory
        .filter(({ kind }) => kind === "device")
        .map(({ name }) => name)
        .sort(),
    ).toEqual(buses.mmio.ranges.map(({ name }) => name).sort());
    for (const { address } of facts.loaded) expect(memory.read(address, 1)).toBeTypeOf("number");
  });

  it("has every exception that chapter 4 names", () => {
    const named = Array.from({ length: 32 }, (_, vector) => vector).filter(vector =>
      /^(#|NMI)/.test(exceptionName(vector)),
    );
    expect(facts.vectors.map(({ vector }) => vector)).toEqual(named);
  });
});
