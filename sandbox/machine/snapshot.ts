/**
 * A machine's whole state in one file:
 *
 *     0    "vmexit", CR, LF               magic; a copy in text mode destroys it
 *     8    version                        u32
 *     12   length of the description      u32
 *     16   description                    JSON: processor, devices, time, which pages follow
 *     …    pages                          4096 bytes each, all that are not zero
 *     …    changed chunks of disks        4096 bytes each, of disks over a snapshot store
 *     end  CRC-32 of all before           u32
 *
 * Numbers are little endian. `readSnapshot` looks at the whole file before anything is changed.
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { MSR_INDICES } from "../cpu/system/msr.ts";
import type { DebugRegs, EngineName, Fpu, Regs, Sregs, Vcpu, VcpuEvents } from "../kvm/api.ts";
import { ACPI_TABLES } from "./acpi.ts";
import { crc32 } from "./crc32.ts";
import type { Machine } from "./machine.ts";
import {
  type CardStates,
  cardMismatch,
  type DeviceStates,
  restoreCards,
  restoreDevices,
  saveCards,
  saveDevices,
} from "./snapshot-devices.ts";

export const SNAPSHOT_VERSION = 3;

const MAGIC = [0x76, 0x6d, 0x65, 0x78, 0x69, 0x74, 0x0d, 0x0a]; // "vmexit", CR, LF
const VERSION_AT = 8;
const LENGTH_AT = 12;
const DESCRIPTION_AT = 16;
const CHECKSUM_SIZE = 4;
const PAGE = 4096;

/** A save file that cannot be used. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
}

/** All of a vCPU that can be seen from outside. */
export interface ProcessorState {
  readonly regs: Regs;
  readonly sregs: Sregs;
  readonly fpu: Omit<Fpu, "fpr" | "xmm"> & { readonly fpr: number[]; readonly xmm: number[] };
  readonly debug: DebugRegs;
  readonly a20Gate: Vcpu["a20Gate"];
  readonly events: VcpuEvents;
  readonly msrs: readonly (readonly [index: number, value: bigint])[];
}

interface Description {
  readonly engine: EngineName;
  /** Bytes. */
  readonly memorySize: number;
  readonly startDate: number;
  /** Nanoseconds. */
  readonly guestTime: number;
  readonly isAsleep: boolean;
  readonly exits: number;
  readonly processor: ProcessorState;
  readonly devices: DeviceStates;
  readonly cards: CardStates;
  /** Guest-physical numbers of the pages in the file, as runs. */
  readonly pages: readonly (readonly [first: number, count: number])[];
}

export interface Snapshot extends Description {
  readonly pageBytes: Uint8Array;
}

/** Call between two steps, with guest time stopped. */
export function saveMachine(machine: Machine): Uint8Array {
  const { hypervisor, memorySize, startDate, vcpu, memory, time, devices, cards } = machine.parts;
  vcpu.completeExit();
  const ram = nonZeroPages(memory);
  const { states, chunks } = saveCards(cards);
  const description: Description = {
    engine: hypervisor.name,
    memorySize,
    startDate,
    guestTime: time.clock.now(),
    isAsleep: machine.isAsleep,
    exits: machine.exits,
    processor: saveProcessor(vcpu),
    devices: saveDevices(devices),
    cards: states,
    pages: ram.runs,
  };
  const text = new TextEncoder().encode(JSON.stringify(description, bigintToText));
  const pages = [...ram.pages, ...chunks];
  const file = new Uint8Array(DESCRIPTION_AT + text.length + pages.length * PAGE + CHECKSUM_SIZE);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint32(VERSION_AT, SNAPSHOT_VERSION, true);
  view.setUint32(LENGTH_AT, text.length, true);
  file.set(text, DESCRIPTION_AT);
  pages.forEach((page, index) => {
    file.set(page, DESCRIPTION_AT + text.length + index * PAGE);
  });
  const end = file.length - CHECKSUM_SIZE;
  view.setUint32(end, crc32(file.subarray(0, end)), true);
  return file;
}

/** Checks a save file and reads it. Throws a `SnapshotError`. */
export function readSnapshot(file: Uint8Array): Snapshot {
  if (!MAGIC.every((byte, at) => file[at] === byte)) {
    throw new SnapshotError("this is no save file of vmexit");
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < DESCRIPTION_AT + CHECKSUM_SIZE) throw new SnapshotError(CUT);
  const version = view.getUint32(VERSION_AT, true);
  if (version !== SNAPSHOT_VERSION) {
    const age = version > SNAPSHOT_VERSION ? "newer" : "older";
    throw new SnapshotError(
      `the save file has version ${version}, ${age} than ${SNAPSHOT_VERSION}, which this vmexit reads`,
    );
  }
  const end = file.length - CHECKSUM_SIZE;
  const pagesAt = DESCRIPTION_AT + view.getUint32(LENGTH_AT, true);
  if (pagesAt > end) throw new SnapshotError(CUT);
  if (crc32(file.subarray(0, end)) !== view.getUint32(end, true)) {
    throw new SnapshotError("the save file is damaged or cut short: its checksum is wrong");
  }
  const text = new TextDecoder().decode(file.subarray(DESCRIPTION_AT, pagesAt));
  const description = JSON.parse(text, textToBigint) as Description;
  return { ...description, pageBytes: file.subarray(pagesAt, end) };
}

const CUT = "the save file is cut short";

/**
 * Makes a machine that was just assembled, with the snapshot's memory size, start date and guest time, go
 * on where the saved one stood. Throws a `SnapshotError` for a machine that is not like the saved one.
 */
export function restoreMachine(machine: Machine, snapshot: Snapshot): void {
  const { hypervisor, memorySize, vcpu, memory, devices, cards } = machine.parts;
  if (snapshot.engine !== hypervisor.name) {
    throw new SnapshotError(`this machine was saved on the engine ${snapshot.engine}: restore it there`);
  }
  if (snapshot.memorySize !== memorySize) {
    throw new SnapshotError(`this machine was saved with ${snapshot.memorySize} bytes of RAM`);
  }
  const mismatch = cardMismatch(cards, snapshot.cards);
  if (mismatch) throw new SnapshotError(mismatch);
  // All that is not zero in a machine that was just assembled, and may be in the saved one.
  memory.fill(ACPI_TABLES.address, ACPI_TABLES.size, 0);
  let at = 0;
  const takePages = (count: number) => {
    at += count * PAGE;
    return snapshot.pageBytes.subarray(at - count * PAGE, at);
  };
  for (const [first, count] of snapshot.pages) memory.writeBytes(first * PAGE, takePages(count));
  restoreProcessor(vcpu, snapshot.processor);
  restoreCards(cards, snapshot.cards, () => takePages(1));
  restoreDevices(devices, snapshot.devices);
  machine.isAsleep = snapshot.isAsleep;
  machine.exits = snapshot.exits;
}

// #region processor
export function saveProcessor(vcpu: Vcpu): ProcessorState {
  const fpu = vcpu.getFpu();
  return {
    regs: vcpu.getRegs(),
    sregs: vcpu.getSregs(),
    fpu: { ...fpu, fpr: [...fpu.fpr], xmm: [...fpu.xmm] },
    debug: vcpu.getDebugRegs(),
    a20Gate: vcpu.a20Gate,
    events: vcpu.getEvents(),
    msrs: MSR_INDICES.map(index => [index, vcpu.getMsr(index)] as const),
  };
}

export function restoreProcessor(
  vcpu: Vcpu,
  { regs, sregs, fpu, debug, a20Gate, events, msrs }: ProcessorState,
): void {
  vcpu.setSregs(sregs);
  vcpu.setRegs(regs);
  vcpu.setFpu({ ...fpu, fpr: Uint8Array.from(fpu.fpr), xmm: Uint8Array.from(fpu.xmm) });
  vcpu.setDebugRegs(debug);
  vcpu.a20Gate = a20Gate;
  for (const [index, value] of msrs) {
    // Some cannot be written, and have the value already.
    if (vcpu.getMsr(index) !== value) vcpu.setMsr(index, value);
  }
  vcpu.setEvents(events);
}
// #endregion processor

/** All pages of the slots that are not zero. */
function nonZeroPages(memory: GuestMemory): {
  readonly runs: [first: number, count: number][];
  readonly pages: Uint8Array[];
} {
  const runs: [number, number][] = [];
  const pages: Uint8Array[] = [];
  for (const { guestAddress, size } of memory.slots) {
    for (let address = guestAddress; address < guestAddress + size; address += PAGE) {
      const page = memory.readBytes(address, PAGE);
      if (page.every(byte => byte === 0)) continue;
      pages.push(page);
      const last = runs.at(-1);
      const number = address / PAGE;
      if (last && last[0] + last[1] === number) last[1]++;
      else runs.push([number, 1]);
    }
  }
  return { runs, pages };
}

/** JSON has no bigint: "12n" stands for 12n. No other text of a description looks like that. */
function bigintToText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

function textToBigint(_key: string, value: unknown): unknown {
  return typeof value === "string" && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value;
}
