/** What the graded tests of chapter 3 may ask of a learner's layer: tables and accesses in, plain results out. */
import {
  accessRights,
  checkDataSegment,
  checkDirectTransfer,
  checkGateAccess,
  checkGateTarget,
  checkStackSegment,
  descriptorBase,
  descriptorLimit,
  faultErrorCode,
  faultVector,
  inSegment,
} from "#layers/03-paging/descriptors.ts";
import {
  ExtendedPageTables,
  NestedPagingExit,
  NestedWalker,
  type Purpose,
} from "#layers/03-paging/nested.ts";
import { explainNestedWalk, explainWalk, type NestedStep, type WalkReport } from "#layers/03-paging/steps.ts";
import { Tlb } from "#layers/03-paging/tlb.ts";
import { type PageTableMemory, PageWalker, type PagingRegisters } from "#layers/03-paging/walk.ts";
import type { Exit, Hypervisor } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { copyExit } from "../tools/exit-log.ts";
import { build } from "./machine.ts";

/** A check of a selector and the rights of its descriptor. */
export interface Check {
  readonly kind: "data" | "stack" | "direct" | "gate" | "gate target";
  readonly selector: number;
  readonly rights: number;
  readonly cpl: number;
  /** A JMP through the gate, not a CALL. */
  readonly jump?: boolean;
}

/** "ok", or the fault as in "#13(0x10)": vector and error code. */
export type Verdict = string;

/** Physical memory, word by word; all else reads as 0. Addresses are multiples of 4. */
export type Words = readonly (readonly [address: number, value: number])[];

export interface Access {
  readonly linear: number;
  /** A sum of the walk's `…_ACCESS` bits. */
  readonly access: number;
}

export interface WalkResult {
  readonly found: boolean;
  /** -1 where the walk ends in a fault. */
  readonly physical: number;
  readonly pageFrames: number;
  readonly errorCode: number;
  /** What the walk wrote to memory, in order. */
  readonly writes: readonly (readonly [address: number, value: number])[];
  /** The same walk, told step by step. */
  readonly report: WalkReport;
}

/** What a walk finds before anybody asks who may use it. */
export type FoundPage = Pick<WalkResult, "physical" | "pageFrames" | "report"> & {
  /** A sum of R/W and U/S. */
  readonly rights: number;
  readonly noExecute: boolean;
};

export type TlbOperation =
  | { do: "insert"; table: number; linear: number; hostPage: number; global?: boolean; large?: boolean }
  | { do: "lookup"; table: number; linear: number; size: number }
  | { do: "flushPage"; linear: number };

export interface NestedCase {
  readonly memory: Words;
  readonly eptPointer: number;
  /** The guest's registers. */
  readonly registers: PagingRegisters;
  readonly accesses: readonly Access[];
}

export interface NestedResult {
  /** Host-physical; -1 where the walk ends otherwise. */
  readonly physical: number;
  /** The error code of the guest's own fault; -1 where it has none. */
  readonly errorCode: number;
  /** The exit in words, with guest-physical address and qualification; "" where there is none. */
  readonly exit: string;
  readonly steps: readonly NestedStep[];
}

export interface GuestRun {
  readonly output: string;
  readonly exits: readonly Exit[];
  readonly last: string;
}

export const subject = {
  descriptors: (descriptors: readonly (readonly [low: number, high: number])[]) =>
    descriptors.map(([low, high]) => ({
      base: descriptorBase(low, high),
      limit: descriptorLimit(low, high),
      rights: accessRights(high),
    })),

  inSegment: (
    accesses: readonly (readonly [offset: number, size: number, limit: number, rights: number])[],
  ) => accesses.map(([offset, size, limit, rights]) => inSegment(offset, size, limit, rights)),

  checks: (checks: readonly Check[]): Verdict[] => checks.map(verdict),

  /** Walks each access in turn, over the same memory. */
  walks(registers: PagingRegisters, words: Words, accesses: readonly Access[]): WalkResult[] {
    const memory = new RecordedMemory(words);
    const walker = walkerOver(PageWalker, registers, memory);
    return accesses.map(({ linear, access }) => {
      const report = explainWalk(walker, linear, access);
      memory.writes = [];
      const found = walker.walk(linear, access);
      return {
        found,
        physical: found ? walker.frame * 4096 + (linear % 4096) : -1,
        pageFrames: walker.pageFrames,
        errorCode: found ? 0 : walker.errorCode,
        writes: memory.writes,
        report,
      };
    });
  },

  /** The same, of walks that leave memory as it is: no flag is set. */
  probes(
    registers: PagingRegisters,
    words: Words,
    accesses: readonly Access[],
  ): Pick<WalkResult, "found" | "errorCode" | "report">[] {
    const walker = walkerOver(PageWalker, registers, words);
    return accesses.map(({ linear, access }) => {
      const report = explainWalk(walker, linear, access);
      const found = walker.probe(linear, access);
      return { found, errorCode: found ? 0 : walker.errorCode, report };
    });
  },

  /** Which pages are behind linear addresses, whoever may use them. */
  finds(registers: PagingRegisters, words: Words, addresses: readonly number[]): FoundPage[] {
    const walker = walkerOver(OpenWalker, registers, words);
    return addresses.map(linear => {
      const report = explainWalk(walker, linear);
      const { frame, pageFrames, rights, noExecute } = walker;
      const physical = report.physical === null ? -1 : frame * 4096 + (linear % 4096);
      return { physical, pageFrames, rights, noExecute, report };
    });
  },

  tlb(operations: readonly TlbOperation[]): (number | null)[] {
    const tlb = new Tlb();
    return operations.map(operation => {
      if (operation.do === "lookup") return tlb.lookup(operation.table, operation.linear, operation.size);
      if (operation.do === "flushPage") tlb.flushPage(operation.linear);
      else {
        const { table, linear, hostPage, global = false, large = false } = operation;
        tlb.insert(table, linear, hostPage, global, large);
      }
      return null;
    });
  },

  /** Guest-physical addresses through extended page tables alone. */
  ept(
    words: Words,
    eptPointer: number,
    accesses: readonly { guestPhysical: number; access: number; purpose: Purpose }[],
  ): (number | string)[] {
    const ept = new ExtendedPageTables(new RecordedMemory(words), eptPointer);
    return accesses.map(({ guestPhysical, access, purpose }) => {
      try {
        return ept.translate(guestPhysical, access, purpose);
      } catch (exit) {
        return exitText(exit);
      }
    });
  },

  nested({ memory: words, eptPointer, registers, accesses }: NestedCase): NestedResult[] {
    const memory = new RecordedMemory(words);
    const walker = new NestedWalker(memory, new ExtendedPageTables(memory, eptPointer));
    walker.configure(registers);
    return accesses.map(({ linear, access }) => {
      const { steps } = explainNestedWalk(walker, linear, access);
      try {
        const found = walker.walk(linear, access);
        return {
          physical: found ? walker.physical : -1,
          errorCode: found ? -1 : walker.errorCode,
          exit: "",
          steps,
        };
      } catch (exit) {
        return { physical: -1, errorCode: -1, exit: exitText(exit), steps };
      }
    });
  },

  /** Boots a guest of this chapter on the soft engine. */
  guest(image: Uint8Array): GuestRun {
    const hypervisor = openSoft();
    try {
      return bootGuest(hypervisor, image);
    } finally {
      hypervisor.close();
    }
  },
};

/** Runs a guest to its end on any engine and records what it printed and every exit. */
export function bootGuest(hypervisor: Hypervisor, image: Uint8Array): GuestRun {
  let output = "";
  const exits: Exit[] = [];
  const vm = build(hypervisor, image, byte => (output += String.fromCharCode(byte)));
  const last = vm.run({
    maxExits: 2000,
    budget: { instructions: 100_000, milliseconds: 500 },
    onExit: exit => void exits.push(copyExit(exit)),
  });
  return { output, exits, last: last.reason };
}

function verdict({ kind, selector, rights, cpl, jump = false }: Check): Verdict {
  const fault = {
    data: () => checkDataSegment(selector, rights, cpl),
    stack: () => checkStackSegment(selector, rights, cpl),
    direct: () => checkDirectTransfer(selector, rights, cpl),
    gate: () => checkGateAccess(selector, rights, cpl),
    "gate target": () => checkGateTarget(selector, rights, cpl, jump),
  }[kind]();
  return fault === 0 ? "ok" : `#${faultVector(fault)}(0x${faultErrorCode(fault).toString(16)})`;
}

function exitText(exit: unknown): string {
  if (!(exit instanceof NestedPagingExit)) throw exit;
  return `${exit.reason} at 0x${exit.guestPhysical.toString(16)}, 0b${exit.qualification.toString(2)}`;
}

/** Finds pages before it is written who may use them. */
class OpenWalker extends PageWalker {
  override permits(): boolean {
    return true;
  }
}

function walkerOver(
  Walker: typeof PageWalker,
  registers: PagingRegisters,
  memory: Words | RecordedMemory,
): PageWalker {
  const walker = new Walker(memory instanceof RecordedMemory ? memory : new RecordedMemory(memory));
  walker.configure(registers);
  if (walker.mode === "PAE") walker.loadPdptes();
  return walker;
}

class RecordedMemory implements PageTableMemory {
  readonly #words: Map<number, number>;
  writes: [address: number, value: number][] = [];

  constructor(words: Words) {
    this.#words = new Map(words);
  }

  read32(address: number): number {
    return this.#words.get(address) ?? 0;
  }

  write32(address: number, value: number): void {
    this.writes.push([address, value >>> 0]);
    this.#words.set(address, value);
  }
}
