/** What the graded tests of chapter 8 may ask of a learner's loader: images and answers in, plain results out. */
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { enterLinux } from "#layers/08-linux/boot.ts";
import { bootParams, type LoaderAnswers, writeE820 } from "#layers/08-linux/boot-params.ts";
import { type ElfImage, type ElfSegment, readElf32 } from "#layers/08-linux/elf.ts";
import { KernelImageError } from "#layers/08-linux/kernel-image-error.ts";
import { commandLineBytes, placeInitrd, type Room } from "#layers/08-linux/layout.ts";
import { type MemoryRange, memoryMap } from "#layers/08-linux/memory-map.ts";
import { enterPvh, loadSegment } from "#layers/08-linux/pvh.ts";
import { type ElfNote, findPvhEntry, readNotes } from "#layers/08-linux/pvh-note.ts";
import { readSetupHeader, runtimeStart, type SetupHeader } from "#layers/08-linux/setup-header.ts";
import { startInfo } from "#layers/08-linux/start-info.ts";
import type { Hypervisor, Regs, Sregs, Vcpu } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { build, RAM_SIZE } from "./machine.ts";

/** What a function returned, or the sentence with which it refused its input. */
export type Answer<Value> = { readonly value: Value } | { readonly refused: string };

export interface ProcessorState {
  readonly regs: Regs;
  readonly sregs: Sregs;
}

export interface KernelRun {
  readonly output: string;
  readonly last: string;
}

const PAGE = 4096;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function answerOf<Value>(ask: () => Value): Answer<Value> {
  try {
    return { value: ask() };
  } catch (error) {
    if (!(error instanceof KernelImageError)) throw error;
    return { refused: error.message };
  }
}

/** A processor with other things in its registers than the protocols want. */
function stateAfter(enter: (vcpu: Vcpu) => void): ProcessorState {
  const hypervisor = openSoft();
  try {
    const vcpu = hypervisor.createVm().createVcpu(0);
    vcpu.setRegs({ ...vcpu.getRegs(), rbx: 1n, rsi: 2n, rdi: 3n, rbp: 4n, rflags: 0x202n });
    enter(vcpu);
    return { regs: vcpu.getRegs(), sregs: vcpu.getSregs() };
  } finally {
    hypervisor.close();
  }
}

export const subject = {
  /** Where kernels run that have a header of version 2.10 or later. */
  runtimeStarts: (images: readonly Uint8Array[]): number[] =>
    images.map(image => runtimeStart(viewOf(image))),

  setupHeader: (image: Uint8Array): Answer<SetupHeader> => answerOf(() => readSetupHeader(image)),

  memoryMap: (ramSizes: readonly number[]): MemoryRange[][] => ramSizes.map(memoryMap),

  placeInitrd: (size: number, room: Room): Answer<number> => answerOf(() => placeInitrd(size, room)),

  commandLine: (text: string, most: number): Answer<Uint8Array> =>
    answerOf(() => commandLineBytes(text, most)),

  /** The page for an image whose header ends at `end`. */
  bootParams: (image: Uint8Array, end: number, answers: LoaderAnswers): Uint8Array =>
    bootParams(image, { end } as SetupHeader, answers),

  /** A page of zeros, with the map written to it. */
  e820(map: readonly MemoryRange[]): Uint8Array {
    const page = new Uint8Array(PAGE);
    writeE820(viewOf(page), map);
    return page;
  },

  enterLinux: (entry: number, information: number): ProcessorState =>
    stateAfter(vcpu => enterLinux(vcpu, { entry, information })),

  enterPvh: (entry: number, information: number): ProcessorState =>
    stateAfter(vcpu => enterPvh(vcpu, { entry, information })),

  elf: (image: Uint8Array): Answer<ElfImage> => answerOf(() => readElf32(image)),

  notes: (bytes: Uint8Array): Answer<ElfNote[]> => answerOf(() => readNotes(bytes)),

  pvhEntry: (segments: readonly Uint8Array[]): Answer<number | null> =>
    answerOf(() => findPvhEntry(segments) ?? null),

  startInfo: (answers: LoaderAnswers): Uint8Array => startInfo(answers),

  /** Loads a segment of an ELF kernel into memory full of 0xcc, and returns a piece of it. */
  loadedSegment(segment: ElfSegment, from: number, length: number): Answer<Uint8Array> {
    const hypervisor = openSoft();
    try {
      const memory = new GuestMemory(hypervisor.createVm(), hypervisor.allocateMemory(RAM_SIZE));
      memory.map(0, 0, RAM_SIZE);
      memory.fill(0, RAM_SIZE, 0xcc);
      return answerOf(() => {
        loadSegment(memory, segment, RAM_SIZE);
        return memory.readBytes(from, length);
      });
    } finally {
      hypervisor.close();
    }
  },

  /** Boots a kernel of this chapter on the soft engine. */
  kernel(image: Uint8Array, commandLine: string, initrd: Uint8Array): KernelRun {
    const hypervisor = openSoft();
    try {
      return bootKernel(hypervisor, image, commandLine, initrd);
    } finally {
      hypervisor.close();
    }
  },
};

/** Runs a kernel to its end on any engine. */
export function bootKernel(
  hypervisor: Hypervisor,
  kernel: Uint8Array,
  commandLine: string,
  initrd: Uint8Array,
): KernelRun {
  let output = "";
  const boot = { kernel, initrd, commandLine };
  const machine = build(hypervisor, boot, byte => (output += String.fromCharCode(byte)));
  const last = machine.run({ maxExits: 20_000, budget: { instructions: 1_000_000, milliseconds: 250 } });
  return { output, last: last.reason };
}
