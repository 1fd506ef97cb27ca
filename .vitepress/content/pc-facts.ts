/**
 * Ports, interrupts, vectors and memory of the whole emulator, asked of the machine itself: it is assembled as
 * `npm run sandbox` assembles it, and its buses, its slots and the tables of its layers tell.
 */
import * as exceptions from "#layers/04-interrupts/exceptions.ts";
import { COMMAND_LINE_ADDRESS, GDT_ADDRESS, INFORMATION_ADDRESS } from "#layers/08-linux/layout.ts";
import { VIDEO_MEMORY } from "#layers/08-linux/memory-map.ts";
import { KERNEL_ADDRESS } from "#layers/08-linux/setup-header.ts";
import { SCI } from "../../sandbox/devices/acpi-tables.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { ACPI_TABLES } from "../../sandbox/machine/acpi.ts";
import { NET_MMIO } from "../../sandbox/machine/cards.ts";
import { assembleMachine, type Machine } from "../../sandbox/machine/machine.ts";
import { PCI_INTERRUPTS } from "../../sandbox/machine/mainboard.ts";
import { VirtualTime } from "../../sandbox/machine/timekeeper.ts";

const MIB = 0x10_0000;
/** The figures are those of a machine with so much RAM. */
export const RAM = 64 * MIB;
const END_OF_ADDRESSES = 0x1_0000_0000;
/** The master's input that the slave hangs on. */
const CASCADE = 2;

export interface AddressRange {
  readonly name: string;
  readonly start: number;
  readonly length: number;
}

export interface MemoryPart extends AddressRange {
  readonly kind: "RAM" | "device" | "nothing";
}

export interface VectorFacts {
  readonly vector: number;
  /** As the manual writes it: "#PF". */
  readonly mnemonic: string;
  /** The constant's name in words: "page fault". */
  readonly name: string;
  readonly kind: "fault" | "fault or trap" | "trap" | "abort" | "interrupt";
  readonly errorCode: boolean;
  readonly double: exceptions.ExceptionClass;
}

export interface InterruptFacts {
  readonly irq: number;
  readonly device: string;
}

export interface PcFacts {
  readonly ram: number;
  readonly ports: readonly AddressRange[];
  readonly memory: readonly MemoryPart[];
  /** What the loader of chapter 8 puts into RAM. */
  readonly loaded: readonly { readonly name: string; readonly address: number }[];
  readonly interrupts: readonly InterruptFacts[];
  readonly vectors: readonly VectorFacts[];
}

/** What drives each input of the two controllers. */
const INTERRUPTS: readonly InterruptFacts[] = [
  { irq: 0, device: "PIT, counter 0" },
  { irq: 1, device: "keyboard" },
  { irq: CASCADE, device: "the slave, at the master" },
  { irq: 4, device: "COM1" },
  { irq: NET_MMIO.irq, device: "network card at virtio-mmio" },
  { irq: 8, device: "RTC" },
  { irq: SCI, device: "ACPI, the SCI" },
  ...PCI_INTERRUPTS.map(irq => ({ irq, device: "PCI, INTA# of every second slot" })),
  { irq: 12, device: "mouse" },
];

/** The whole emulator, with its network card outside of PCI so that it shows in the memory map. */
export function wholeMachine(): Machine {
  return assembleMachine({
    hypervisor: openSoft(),
    memorySize: RAM,
    time: counter => new VirtualTime(counter!),
    startDate: 0,
    serialOutput() {},
    network: { backend: { send() {}, onFrame: null }, mac: "52:54:00:12:34:56", transport: "mmio" },
  });
}

export function pcFacts(): PcFacts {
  const machine = wholeMachine();
  const { buses, memory } = machine.parts;
  const facts: PcFacts = {
    ram: RAM,
    ports: buses.ports.ranges.map(plain).sort(byStart),
    memory: memoryParts(memory.slots, buses.mmio.ranges),
    loaded: [
      { name: "the GDT that a kernel is entered with", address: GDT_ADDRESS },
      { name: "boot parameters, or PVH’s start info", address: INFORMATION_ADDRESS },
      { name: "the command line", address: COMMAND_LINE_ADDRESS },
      { name: "the ACPI tables", address: ACPI_TABLES.address },
      { name: "a bzImage’s kernel", address: KERNEL_ADDRESS },
    ],
    interrupts: groupByLine(INTERRUPTS),
    vectors: vectors(),
  };
  machine.close();
  return facts;
}

const plain = ({ name, start, length }: AddressRange): AddressRange => ({ name, start, length });
const byStart = (a: AddressRange, b: AddressRange) => a.start - b.start;

/** Slots, devices and the holes between them, up to the end of 32-bit addresses. */
function memoryParts(
  slots: readonly { readonly guestAddress: number; readonly size: number }[],
  devices: readonly AddressRange[],
): MemoryPart[] {
  const taken: MemoryPart[] = [
    ...slots.map(({ guestAddress, size }) => ({
      name: "RAM",
      start: guestAddress,
      length: size,
      kind: "RAM" as const,
    })),
    ...devices.map(range => ({ ...plain(range), kind: "device" as const })),
  ];
  const parts: MemoryPart[] = [];
  let end = 0;
  for (const part of taken.sort(byStart)) {
    if (part.start > end) parts.push(hole(end, part.start));
    parts.push(part);
    end = part.start + part.length;
  }
  return [...parts, hole(end, END_OF_ADDRESSES)];
}

function hole(start: number, end: number): MemoryPart {
  const name = start === VIDEO_MEMORY ? "no VGA memory" : "nothing";
  return { name, start, length: end - start, kind: "nothing" };
}

/** Several devices may share a line. */
function groupByLine(interrupts: readonly InterruptFacts[]): InterruptFacts[] {
  const lines = new Map<number, string[]>();
  for (const { irq, device } of interrupts) lines.set(irq, [...(lines.get(irq) ?? []), device]);
  return [...lines]
    .map(([irq, devices]) => ({ irq, device: devices.join("; ") }))
    .sort((a, b) => a.irq - b.irq);
}

/** Bits of an error code, the other numbers that the module of exceptions exports. */
const NO_VECTORS = new Set(["EXT", "IDT"]);

/** The vectors that layer 4 has a name for, by its constants. */
function vectors(): VectorFacts[] {
  return Object.entries<unknown>(exceptions)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number" && !NO_VECTORS.has(entry[0]))
    .map(([constant, vector]) => ({
      vector,
      mnemonic: exceptions.exceptionName(vector),
      name: constant === "NMI" ? "non-maskable interrupt" : inWords(constant),
      kind: kindOf(vector),
      errorCode: exceptions.pushesErrorCode(vector),
      double: exceptions.exceptionClass(vector),
    }))
    .sort((a, b) => a.vector - b.vector);
}

/** A constant's name as prose has it: `PAGE_FAULT` is "page fault", `INVALID_TSS` "invalid TSS". */
function inWords(constant: string): string {
  const words = constant.split("_").map(word => (/^(TSS|SIMD)$/.test(word) ? word : word.toLowerCase()));
  return words.join(" ");
}

/** SDM vol. 3A, table 6-1. */
function kindOf(vector: number): VectorFacts["kind"] {
  const { DEBUG, DOUBLE_FAULT, isFault, MACHINE_CHECK, NMI } = exceptions;
  if (isFault(vector)) return "fault";
  if (vector === NMI) return "interrupt";
  if (vector === DEBUG) return "fault or trap";
  return vector === DOUBLE_FAULT || vector === MACHINE_CHECK ? "abort" : "trap";
}
