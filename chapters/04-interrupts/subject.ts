/** What the graded tests of chapter 4 may ask of a learner's layer: plain data in, plain data out. */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { encodeDescriptor, SegmentImage } from "#layers/03-paging/descriptors.ts";
import { combine, exceptionClass } from "#layers/04-interrupts/exceptions.ts";
import { handleInterruptibleExit, injectInterrupt } from "#layers/04-interrupts/injection.ts";
import { Pic, PicPair } from "#layers/04-interrupts/pic.ts";
import { Stack } from "#layers/04-interrupts/stack.ts";
import type { Exit, Hypervisor } from "../../sandbox/kvm/api.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { build } from "./machine.ts";
import { deliver, PlainFault, PlainProcessor, returnFrom } from "./plain-processor.ts";
import type { Write } from "./setting.ts";

/** A stack of 16 or 32 bits, and what is pushed on it. */
export interface StackCase {
  readonly base: number;
  readonly bits: 16 | 32;
  readonly limit: number;
  readonly esp: number;
  readonly pushes: readonly (readonly [size: 2 | 4, value: number])[];
  readonly absentBelow?: number;
}

/** One operation on a controller or a pair of them. `chip` is the master where none is named. */
export type PicOperation =
  | { do: "write"; offset: 0 | 1; bytes: number[]; chip?: "slave" }
  | { do: "line"; irq: number; high: boolean }
  | { do: "irr" | "isr" | "imr"; chip?: "slave" }
  /** The vector that the processor gets; of a single controller the level. */
  | { do: "acknowledge" }
  /** The level that waits for that, or -1. */
  | { do: "pending" }
  /** Puts a level in service as an acknowledgement of it would, or makes it the one of lowest priority. */
  | { do: "serve" | "lowest"; level: number }
  /** Whether INT is high. */
  | { do: "int" }
  | { do: "elcr"; mask: number };

/** A turn of the run loop: what the vCPU is ready for, which vectors wait at the controller. */
export interface InjectCase {
  readonly ready: boolean;
  readonly waiting: readonly number[];
}

export interface ExitCase {
  readonly exit: Exit;
  readonly interruptFlag: boolean;
  /** Whether an interrupt is pending, and after how many sleeps one comes; 0 for never. */
  readonly pending: boolean;
  readonly comesAfter: number;
}

export interface InterruptGuestRun {
  readonly output: string;
  readonly vectors: readonly number[];
  readonly last: string;
  /** Null of a guest that ran alone: who has not written the controllers yet can run it, too. */
  readonly master: { readonly irr: number; readonly imr: number; readonly isr: number } | null;
}

export const subject = {
  deliver,
  returnFrom,

  push({ base, bits, limit, esp, pushes, absentBelow }: StackCase): {
    esp: number;
    writes: Write[];
    fault: string;
  } {
    const processor = new PlainProcessor({ absentBelow });
    const segment = new SegmentImage();
    segment.decode(0x10, ...encodeDescriptor(base, limit, bits === 32 ? 0x4093 : 0x0093));
    const stack = new Stack(processor);
    stack.use(segment, esp, 0, 0);
    let fault = "";
    try {
      for (const [size, value] of pushes) stack.push(size, value);
    } catch (problem) {
      if (!(problem instanceof PlainFault)) throw problem;
      fault = problem.message;
    }
    return { esp: stack.esp, writes: processor.writes, fault };
  },

  classes: (vectors: readonly number[]): string[] => vectors.map(exceptionClass),
  combine: (pairs: readonly (readonly [first: number, second: number])[]): string[] =>
    pairs.map(([first, second]) => combine(first, second)),

  /** Runs operations on one controller; one that shows nothing gives null. */
  pic: (operations: readonly PicOperation[]) => onController(Pic, operations),

  /** The same on a controller that asks for any request that is not masked, whatever is more urgent. */
  inputs: (operations: readonly PicOperation[]) => onController(EagerPic, operations),

  /** The same on the pair of a PC. */
  pair(operations: readonly PicOperation[]): (number | boolean | null)[] {
    const pair = new PicPair();
    return operations.map(operation => {
      const chip = "chip" in operation && operation.chip === "slave" ? pair.slave : pair.master;
      switch (operation.do) {
        case "write":
          for (const byte of operation.bytes) chip.write(operation.offset, 1, byte);
          return null;
        case "line":
          pair.setIrq(operation.irq, operation.high);
          return null;
        case "elcr":
          chip.elcr = operation.mask;
          return null;
        case "acknowledge":
          return pair.acknowledge();
        case "int":
          return pair.interruptPending;
        default:
          return onChip(chip, operation);
      }
    });
  },

  inject: (cases: readonly InjectCase[]) =>
    cases.map(({ ready, waiting }) => {
      const left = [...waiting];
      const injected: number[] = [];
      const vcpu = {
        readyForInterrupt: ready,
        requestInterruptWindow: false,
        interrupt: (vector: number) => void injected.push(vector),
      };
      injectInterrupt(vcpu, {
        get interruptPending() {
          return left.length > 0;
        },
        acknowledge: () => left.shift() ?? SPURIOUS,
      });
      return { injected, left, window: vcpu.requestInterruptWindow };
    }),

  /** Whether the guest goes on after an exit, and how often time was let pass. */
  exits: (cases: readonly ExitCase[]) =>
    cases.map(({ exit, interruptFlag, pending, comesAfter }) => {
      let slept = 0;
      const source = {
        get interruptPending() {
          return pending || (comesAfter > 0 && slept >= comesAfter);
        },
        acknowledge: () => SPURIOUS,
      };
      const time = { catchUp() {}, sleep: () => comesAfter > 0 && ++slept < LONGEST_SLEEP };
      const buses = { ports: new Bus(), mmio: new Bus() };
      return { goesOn: handleInterruptibleExit(exit, { interruptFlag }, buses, source, time), slept };
    }),

  /** Boots a guest of this chapter on the soft engine; `alone` without anything that interrupts it. */
  guest(image: Uint8Array, alone: boolean): InterruptGuestRun {
    const hypervisor = openSoft();
    try {
      return bootGuest(hypervisor, image, alone);
    } finally {
      hypervisor.close();
    }
  },
};

/** A controller whose inputs can be tested before its priorities are written. */
class EagerPic extends Pic {
  override get pendingLevel(): number | undefined {
    return this.save().initialized && (this.irr & ~this.imr) !== 0 ? 0 : undefined;
  }
}

function onController(Controller: typeof Pic, operations: readonly PicOperation[]) {
  let int = false;
  const pic = new Controller({ raise: () => (int = true), lower: () => (int = false) }, true);
  return operations.map((operation): number | boolean | null => {
    switch (operation.do) {
      case "write":
        for (const byte of operation.bytes) pic.write(operation.offset, 1, byte);
        return null;
      case "line":
        pic.setLine(operation.irq, operation.high);
        return null;
      case "elcr":
        pic.elcr = operation.mask;
        return null;
      case "acknowledge":
        return pic.acknowledge();
      case "int":
        return int;
      default:
        return onChip(pic, operation);
    }
  });
}

/** What one chip shows, or is brought into by its saved state. */
function onChip(
  pic: Pic,
  operation: Extract<PicOperation, { do: "irr" | "isr" | "imr" | "pending" | "serve" | "lowest" }>,
): number | null {
  switch (operation.do) {
    case "pending":
      return pic.pendingLevel ?? -1;
    case "serve": {
      const state = pic.save();
      const bit = 1 << operation.level;
      pic.restore({ ...state, isr: state.isr | bit, armed: state.armed & ~bit });
      return null;
    }
    case "lowest":
      pic.restore({ ...pic.save(), lowest: operation.level });
      return null;
    default:
      return pic[operation.do];
  }
}

const SPURIOUS = 0x0f;
const LONGEST_SLEEP = 100;

/** Runs a guest to its end on any engine. */
export function bootGuest(hypervisor: Hypervisor, image: Uint8Array, alone: boolean): InterruptGuestRun {
  let output = "";
  const vectors: number[] = [];
  const { pics, run, runUninterrupted } = build(
    hypervisor,
    image,
    byte => (output += String.fromCharCode(byte)),
  );
  const options = {
    maxExits: 3000,
    budget: { instructions: 20_000, milliseconds: 100 },
    onInterrupt: (vector: number) => vectors.push(vector),
  };
  const last = alone ? runUninterrupted(options) : run(options);
  if (alone) return { output, vectors, last: last.reason, master: null };
  const { irr, imr, isr } = pics.master;
  return { output, vectors, last: last.reason, master: { irr, imr, isr } };
}
