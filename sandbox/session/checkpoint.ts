/**
 * A machine put aside in memory, to go back to: its processor, its devices and its pages. Pages that are as
 * they were in the checkpoint before are shared with it, so that many checkpoints fit.
 */
import { type GuestMemory, PAGE_SIZE } from "#layers/01-minimal-vm/memory.ts";
import type { Vcpu } from "../kvm/api.ts";
import { type ProcessorState, restoreProcessor, saveProcessor } from "../machine/snapshot.ts";
import type { SavedDevices, SessionMachine } from "./session-machine.ts";

export interface MachineState {
  readonly processor: ProcessorState;
  readonly wantsWindow: boolean;
  readonly devices: SavedDevices;
  /** Pages by guest-physical address. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
}

/** Call where no access waits for its answer. `before` may share its pages. */
export function saveState({ vcpu, memory, save }: SessionMachine, before?: MachineState): MachineState {
  return {
    processor: saveProcessor(vcpu),
    wantsWindow: vcpu.requestInterruptWindow,
    devices: save(),
    pages: savePages(memory, before?.pages),
  };
}

/** `machine` was just built, with its guest. */
export function restoreState(machine: SessionMachine, state: MachineState): void {
  const { vcpu, memory } = machine;
  for (const [address, page] of state.pages) {
    if (!isSame(memory.readBytes(address, PAGE_SIZE), page)) memory.writeBytes(address, page);
  }
  machine.restore(state.devices);
  restoreProcessor(vcpu, state.processor);
  vcpu.requestInterruptWindow = state.wantsWindow;
}

/**
 * Makes the vCPU forget the translations that it remembers, as a restored one has none: a guest that changes
 * page tables behind its TLB must see the same each time that it comes by here.
 */
export function forgetTranslations(vcpu: Vcpu): void {
  const { a20Gate } = vcpu;
  vcpu.a20Gate = a20Gate;
}

function savePages(
  memory: GuestMemory,
  before: ReadonlyMap<number, Uint8Array> | undefined,
): Map<number, Uint8Array> {
  const pages = new Map<number, Uint8Array>();
  for (const { guestAddress, size } of memory.slots) {
    for (let address = guestAddress; address < guestAddress + size; address += PAGE_SIZE) {
      const page = memory.readBytes(address, PAGE_SIZE);
      const old = before?.get(address) ?? ZERO_PAGE;
      pages.set(address, isSame(page, old) ? old : page);
    }
  }
  return pages;
}

const ZERO_PAGE = new Uint8Array(PAGE_SIZE);

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true;
  const [words, others] = [wordsOf(one), wordsOf(other)];
  for (let at = 0; at < words.length; at++) if (words[at] !== others[at]) return false;
  return true;
}

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}
