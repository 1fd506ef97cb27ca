/** The opcode map, second part: opcodes after 0F (SDM vol. 2, table A-3), but for what `system.ts` and `simd.ts` have. */
import * as bit from "../execute/bit.ts";
import * as branch from "../execute/branch.ts";
import * as flag from "../execute/flag.ts";
import * as move from "../execute/move.ts";
import * as multiply from "../execute/multiply.ts";
import * as shift from "../execute/shift.ts";
import { ENDS, type Form, form, LOCK, MEMORY_ONLY } from "./form.ts";

const CONDITIONS = [
  "o",
  "no",
  "b",
  "nb",
  "z",
  "nz",
  "be",
  "nbe",
  "s",
  "ns",
  "p",
  "np",
  "l",
  "nl",
  "le",
  "nle",
];

/** Group 8: the bit's number is an immediate. */
const BIT_TESTS = ["bt", "bts", "btr", "btc"] as const;
const BIT_CHANGES = [null, bit.setBit, bit.resetBit, bit.complementBit] as const;
const BIT_FLAGS = "osapC";

export const TWO_BYTE: readonly Form[] = [
  form(0x0f0b, "ud2", flag.ud, "", ENDS),
  // Hints and reserved no-ops since the Pentium Pro.
  ...[0x0f19, 0x0f1a, 0x0f1b, 0x0f1c, 0x0f1d, 0x0f1e, 0x0f1f].map(opcode => form(opcode, "nop Ev", move.nop)),
  ...CONDITIONS.map((name, code) => form(0x0f40 + code, `cmov${name} Gv,Ev`, move.cmovGvEv)),
  ...CONDITIONS.map((name, code) => form(0x0f80 + code, `j${name} Jz`, branch.jcc, "", ENDS)),
  ...CONDITIONS.map((name, code) => form(0x0f90 + code, `set${name} Eb`, move.setccEb)),
  form(0x0fa3, "bt Ev,Gv", bit.EvGv(null), BIT_FLAGS),
  form(0x0fa4, "shld Ev,Gv,Ib", shift.shldIb, "oszapc"),
  form(0x0fa5, "shld Ev,Gv,CL", shift.shldCL, "oszapc"),
  form(0x0fab, "bts Ev,Gv", bit.EvGv(bit.setBit), BIT_FLAGS, LOCK),
  form(0x0fac, "shrd Ev,Gv,Ib", shift.shrdIb, "oszapc"),
  form(0x0fad, "shrd Ev,Gv,CL", shift.shrdCL, "oszapc"),
  form(0x0faf, "imul Gv,Ev", multiply.imulGvEv, "OszapC"),
  form(0x0fb0, "cmpxchg Eb,Gb", bit.cmpxchgEbGb, "OSZAPC", LOCK),
  form(0x0fb1, "cmpxchg Ev,Gv", bit.cmpxchgEvGv, "OSZAPC", LOCK),
  form(0x0fb3, "btr Ev,Gv", bit.EvGv(bit.resetBit), BIT_FLAGS, LOCK),
  form(0x0fb6, "movzx Gv,Eb", move.movzxGvEb),
  form(0x0fb7, "movzx Gv,Ew", move.movzxGvEw),
  form(0x0fb9, "ud1 Gv,Ev", flag.ud, "", ENDS),
  ...BIT_TESTS.map((name, number) =>
    form(
      [0x0fba, 4 + number],
      `${name} Ev,Ib`,
      bit.EvIb(BIT_CHANGES[number] ?? null),
      BIT_FLAGS,
      number === 0 ? 0 : LOCK,
    ),
  ),
  form(0x0fbb, "btc Ev,Gv", bit.EvGv(bit.complementBit), BIT_FLAGS, LOCK),
  form(0x0fbc, "bsf Gv,Ev", bit.bsf, "osZapc"),
  form(0x0fbd, "bsr Gv,Ev", bit.bsr, "osZapc"),
  form(0x0fbe, "movsx Gv,Eb", move.movsxGvEb),
  form(0x0fbf, "movsx Gv,Ew", move.movsxGvEw),
  form(0x0fc0, "xadd Eb,Gb", bit.xaddEbGb, "OSZAPC", LOCK),
  form(0x0fc1, "xadd Ev,Gv", bit.xaddEvGv, "OSZAPC", LOCK),
  form(0x0faa, "rsm", flag.ud, "", ENDS),
  form([0x0fc7, 1], "cmpxchg8b Mq", bit.cmpxchg8b, "Z", LOCK | MEMORY_ONLY),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map(number => form(0x0fc8 + number, "bswap Zv", move.bswap)),
  form(0x0fff, "ud0 Gv,Ev", flag.ud, "", ENDS),
];

/** What the lines of other tables leave of these opcodes does nothing, too. */
export const RESERVED_NOPS: readonly Form[] = [
  form(0x0f0d, "nop Ev", move.nop),
  form(0x0f18, "nop Ev", move.nop),
];
