/**
 * Where a processor of the Pentium's class differs from an 80286 in real mode, by form and with the reason
 * (SDM vol. 3B, chapter 23 "Architecture compatibility"). All other recordings must be met exactly.
 */

/** One line of the recordings. */
export interface Case286 {
  readonly form: string;
  readonly name: string;
  readonly bytes: readonly number[];
  readonly initial: {
    readonly regs: Readonly<Record<string, number>>;
    readonly ram: readonly (readonly [number, number])[];
  };
  readonly final: {
    readonly regs: Readonly<Record<string, number>>;
    readonly ram: readonly (readonly [number, number])[];
  };
  readonly exception?: number;
}

interface Difference286 {
  readonly reason: string;
  /** Whether this case, with these differing lines, is one of them. */
  applies(recorded: Case286, differences: readonly string[]): boolean;
}

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0xf0, 0xf2, 0xf3]);
/** The instruction without its prefixes, and without the HLT behind it. */
const bare = ({ bytes }: Case286): readonly number[] =>
  bytes.slice(
    bytes.findIndex(byte => !PREFIXES.has(byte)),
    -1,
  );
const prefixes = ({ bytes }: Case286): readonly number[] =>
  bytes.slice(
    0,
    bytes.findIndex(byte => !PREFIXES.has(byte)),
  );

/** Read-modify-write forms for which LOCK is valid on a memory destination (SDM vol. 2, "LOCK"). */
function lockable(recorded: Case286): boolean {
  const [opcode = 0, modrm = 0xc0] = bare(recorded);
  if (modrm >= 0xc0) return false;
  const reg = (modrm >>> 3) & 7;
  if (opcode < 0x38) return (opcode & 6) === 0;
  if (opcode >= 0x80 && opcode <= 0x83) return reg !== 7;
  if (opcode === 0x86 || opcode === 0x87) return true;
  if (opcode === 0xf6 || opcode === 0xf7) return reg === 2 || reg === 3;
  return (opcode === 0xfe || opcode === 0xff) && reg < 2;
}

/** What a case shows first when it ended in a handler that the machine added. */
export const endedIn = (vector: number): string => `ended in the handler of vector ${vector}`;

const only = (differences: readonly string[], names: readonly string[]): boolean =>
  differences.every(line => names.some(name => line.startsWith(`${name}:`)));

export const DIFFERENCES_286: readonly Difference286[] = [
  {
    reason:
      "LOCK before an instruction that does not allow it is #UD since the 80386; the 286 ignored it in real mode (SDM vol. 3B, 23.15 and vol. 2, LOCK).",
    applies: (recorded, differences) =>
      prefixes(recorded).includes(0xf0) && !lockable(recorded) && differences[0] === endedIn(6),
  },
  {
    reason:
      "An instruction of more than 10 bytes is #GP on the 286; since the 80386 the limit is 15 (SDM vol. 3B, 23.29).",
    applies: recorded => recorded.exception === 13 && recorded.bytes.length - 1 > 10,
  },
  {
    reason:
      "The 286 has moved SI, DI and counted CX when the access of a string instruction at offset FFFF faults; since the 80386 a faulting string instruction can be restarted, its registers are as before (SDM vol. 3A, 6.6).",
    applies: (recorded, differences) =>
      recorded.exception === 13 &&
      [0x6d, 0x6f, 0xa5, 0xa7, 0xab, 0xad, 0xaf].includes(bare(recorded)[0]!) &&
      only(differences, ["cx", "si", "di"]),
  },
  {
    reason:
      "A stack access that crosses offset FFFF is #SS (12) since the 80386; the 286 raised vector 13 for it (SDM vol. 3B, table 21-1).",
    applies: (recorded, differences) => recorded.exception === 13 && differences[0] === endedIn(12),
  },
  {
    reason: "FS and GS exist since the 80386: MOV from them is #UD on the 286 only.",
    applies: recorded => {
      const [opcode, modrm = 0] = bare(recorded);
      return (
        recorded.exception === 6 && opcode === 0x8c && ((modrm >>> 3) & 7) >= 4 && ((modrm >>> 3) & 7) <= 5
      );
    },
  },
];

export const explain286 = (recorded: Case286, differences: readonly string[]): string | null =>
  DIFFERENCES_286.find(entry => entry.applies(recorded, differences))?.reason ?? null;
