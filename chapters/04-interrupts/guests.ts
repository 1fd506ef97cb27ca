/** The guests of chapter 4, what each must print, and how it must end, on any engine. */
import { guestImage } from "../tools/guest-image.ts";

export interface ExpectedRun {
  readonly name: string;
  readonly image: Uint8Array;
  readonly output: string;
  readonly last: "HLT" | "SHUTDOWN";
  /** The vectors that the controllers hand out, in order. */
  readonly vectors: readonly number[];
}

async function guest(
  name: string,
  lines: readonly string[],
  { last = "HLT", vectors = [] }: Partial<Pick<ExpectedRun, "last" | "vectors">> = {},
): Promise<ExpectedRun> {
  const image = await guestImage(new URL(`./guest/${name}.bin`, import.meta.url));
  return { name, image, output: lines.map(line => `${line}\n`).join(""), last, vectors };
}

const TICK = 0x20;

export const GUESTS: readonly ExpectedRun[] = await Promise.all([
  guest("vectors", [
    "before the breakpoint",
    "  #BP, will go on at 0x1092, the instruction behind INT3",
    "after the breakpoint",
    "  #DE, will go on at 0x10b7, the DIV itself",
    "91 / 7 = 0x000d",
    "the service returned 0x4101",
  ]),
  guest("gates", [
    "INT3",
    "  #BP, saved EIP    0x000011b8",
    "       saved CS     0x00000008",
    "       saved EFLAGS 0x00000046",
    "91 / 0",
    "  #DE, saved EIP    0x000011d9",
    "  the quotient is   0x0000000d",
    "a segment that is not present",
    "  #NP, error code   0x00000030",
    "       saved EIP    0x00001249",
    "  GS is now         0x00000010",
  ]),
  guest("syscall", [
    "kernel: into ring 3",
    "kernel: saved EIP   0x000011cb",
    "        saved CS    0x0000001b",
    "        saved ESP   0x00009000",
    "        saved SS    0x00000023",
    "        my ESP      0x00006fec",
    "user: hello from ring 3",
    "user: and back again",
    "kernel: #GP, error code 0x00000000",
    "        OUT in ring 3 is forbidden; going on behind it",
    "kernel: the program has ended",
  ]),
  guest(
    "double-fault",
    [
      "division by zero, and no gate for it",
      "#DF, error code 0x00000000",
      "     saved EIP  0x0000118d",
      "once more, and no gate for the double fault either",
    ],
    { last: "SHUTDOWN" },
  ),
  guest(
    "priorities",
    [
      "ringing 5, 3 and 10 with interrupts off",
      "IRR of the master 0x002c",
      "  IRQ 10 begins, ISR 0x0004",
      "    IRQ 1 interrupts it, ISR 0x0006",
      "  IRQ 10 ends",
      "  IRQ 3, ISR 0x0008",
      "unmasking IRQ 5",
      "  IRQ 5, ISR 0x0020",
    ],
    { vectors: [0x2a, 0x21, 0x23, 0x25] },
  ),
  guest("ticks", ["tick 1", "tick 2", "tick 3", "tick 4", "tick 5", "enough"], {
    vectors: [TICK, TICK, TICK, TICK, TICK],
  }),
  guest("no-eoi", ["tick 1"], { vectors: [TICK] }),
]);

/** Whether a guest is about the processor alone, and no device interrupts it. */
export function isOfTheProcessor(name: string): boolean {
  return ["vectors", "gates", "syscall", "double-fault"].includes(name);
}

export function expectedRun(name: string): ExpectedRun {
  const found = GUESTS.find(one => one.name === name);
  if (!found) throw new Error(`chapter 4 has no guest ${name}`);
  return found;
}
