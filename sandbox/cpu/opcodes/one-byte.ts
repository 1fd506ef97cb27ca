/** The opcode map, first part: one-byte opcodes (SDM vol. 2, table A-2), but for what `system.ts` and `x87.ts` have. */
import {
  add,
  addWithCarry,
  and,
  type Operation,
  or,
  subtract,
  subtractWithBorrow,
  xor,
} from "#layers/02-real-mode/alu.ts";
import * as arithmetic from "../execute/arithmetic.ts";
import * as branch from "../execute/branch.ts";
import * as decimal from "../execute/decimal.ts";
import * as flag from "../execute/flag.ts";
import * as move from "../execute/move.ts";
import * as multiply from "../execute/multiply.ts";
import * as port from "../execute/port.ts";
import * as shift from "../execute/shift.ts";
import * as stack from "../execute/stack.ts";
import * as string from "../execute/string.ts";
import { ENDS, type Form, form, LOCK, MEMORY_ONLY } from "./form.ts";

// #region operation
/** The six lines of one of the eight operations, from its first opcode; CMP does not write. */
function operation(first: number, name: string, operate: Operation, flags: string): Form[] {
  return [
    form(first, `${name} Eb,Gb`, arithmetic.EbGb(operate), flags, LOCK),
    form(first + 1, `${name} Ev,Gv`, arithmetic.EvGv(operate), flags, LOCK),
    form(first + 2, `${name} Gb,Eb`, arithmetic.GbEb(operate), flags),
    form(first + 3, `${name} Gv,Ev`, arithmetic.GvEv(operate), flags),
    form(first + 4, `${name} AL,Ib`, arithmetic.ALIb(operate), flags),
    form(first + 5, `${name} eAX,Iz`, arithmetic.eAXIz(operate), flags),
  ];
}
// #endregion operation

/** Group 1: the operation is ModRM.reg. */
function immediateGroup(opcode: number): Form[] {
  const names = ["add", "or", "adc", "sbb", "and", "sub", "xor"];
  const operations = [add, or, addWithCarry, subtractWithBorrow, and, subtract, xor];
  const flags = ["OSZAPC", "OSZaPC", "OSZAPC", "OSZAPC", "OSZaPC", "OSZAPC", "OSZaPC"];
  const operands = opcode === 0x81 ? "Ev,Iz" : opcode === 0x83 ? "Ev,Ibs" : "Eb,Ib";
  return [
    ...operations.map((operate, extension) =>
      form(
        [opcode, extension],
        `${names[extension]} ${operands}`,
        operands === "Eb,Ib" ? arithmetic.EbIb(operate) : arithmetic.EvIz(operate),
        flags[extension],
        LOCK,
      ),
    ),
    form(
      [opcode, 7],
      `cmp ${operands}`,
      operands === "Eb,Ib" ? arithmetic.compareEbIb(subtract) : arithmetic.compareEvIz(subtract),
      "OSZAPC",
    ),
  ];
}

/** OF is defined for shifts by 1 only; the CF of SHL and SHR not for counts past the operand's size. */
function shiftFlags(extension: number, byOne: boolean): string {
  if (extension < 4) return byOne ? "OC" : "oC";
  if (byOne) return "OSZaPC";
  return extension === 7 ? "oSZaPC" : "oSZaPc";
}

/** Group 2: rotates and shifts; 6 is an undocumented second SHL. */
function shiftGroup(byteOpcode: number, wordOpcode: number, count: "1" | "Ib" | "CL"): Form[] {
  const shifts = [shift.rol, shift.ror, shift.rcl, shift.rcr, shift.shl, shift.shr, shift.shl, shift.sar];
  const names = ["rol", "ror", "rcl", "rcr", "shl", "shr", "shl", "sar"];
  return shifts.flatMap((by, extension) => {
    const flags = shiftFlags(extension, count === "1");
    const name = names[extension];
    return [
      form(
        [byteOpcode, extension],
        `${name} Eb,${count}`,
        count === "CL" ? shift.EbCL(by) : shift.EbI(by),
        flags,
      ),
      form(
        [wordOpcode, extension],
        `${name} Ev,${count}`,
        count === "CL" ? shift.EvCL(by) : shift.EvI(by),
        flags,
      ),
    ];
  });
}

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

/** The same line for the eight registers in an opcode's low bits. */
function forRegisters(first: number, line: (opcode: number) => Form): Form[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].map(number => line(first + number));
}

export const ONE_BYTE: readonly Form[] = [
  ...operation(0x00, "add", add, "OSZAPC"),
  ...operation(0x08, "or", or, "OSZaPC"),
  ...operation(0x10, "adc", addWithCarry, "OSZAPC"),
  ...operation(0x18, "sbb", subtractWithBorrow, "OSZAPC"),
  ...operation(0x20, "and", and, "OSZaPC"),
  form(0x27, "daa", decimal.daa, "oSZAPC"),
  ...operation(0x28, "sub", subtract, "OSZAPC"),
  form(0x2f, "das", decimal.das, "oSZAPC"),
  ...operation(0x30, "xor", xor, "OSZaPC"),
  form(0x37, "aaa", decimal.aaa, "oszApC"),
  form(0x38, "cmp Eb,Gb", arithmetic.compareEbGb(subtract), "OSZAPC"),
  form(0x39, "cmp Ev,Gv", arithmetic.compareEvGv(subtract), "OSZAPC"),
  form(0x3a, "cmp Gb,Eb", arithmetic.cmpGbEb, "OSZAPC"),
  form(0x3b, "cmp Gv,Ev", arithmetic.cmpGvEv, "OSZAPC"),
  form(0x3c, "cmp AL,Ib", arithmetic.compareALIb(subtract), "OSZAPC"),
  form(0x3d, "cmp eAX,Iz", arithmetic.compareeAXIz(subtract), "OSZAPC"),
  form(0x3f, "aas", decimal.aas, "oszApC"),
  ...forRegisters(0x40, opcode => form(opcode, "inc Zv", arithmetic.Ev(arithmetic.inc), "OSZAP")),
  ...forRegisters(0x48, opcode => form(opcode, "dec Zv", arithmetic.Ev(arithmetic.dec), "OSZAP")),
  ...forRegisters(0x50, opcode => form(opcode, "push Zv", stack.pushZv)),
  ...forRegisters(0x58, opcode => form(opcode, "pop Zv", stack.popZv)),
  form(0x60, "pusha", stack.pusha),
  form(0x61, "popa", stack.popa),
  form(0x68, "push Iz", stack.pushI),
  form(0x69, "imul Gv,Ev,Iz", multiply.imulGvEvI, "OszapC"),
  form(0x6a, "push Ibs", stack.pushI),
  form(0x6b, "imul Gv,Ev,Ibs", multiply.imulGvEvI, "OszapC"),
  form(0x6c, "insb", port.insb, "", ENDS),
  form(0x6d, "insv", port.insv, "", ENDS),
  form(0x6e, "outsb", port.outsb, "", ENDS),
  form(0x6f, "outsv", port.outsv, "", ENDS),
  ...CONDITIONS.map((name, code) => form(0x70 + code, `j${name} Jb`, branch.jcc, "", ENDS)),
  ...immediateGroup(0x80),
  ...immediateGroup(0x81),
  ...immediateGroup(0x82),
  ...immediateGroup(0x83),
  form(0x84, "test Eb,Gb", arithmetic.compareEbGb(and), "OSZaPC"),
  form(0x85, "test Ev,Gv", arithmetic.compareEvGv(and), "OSZaPC"),
  form(0x86, "xchg Eb,Gb", move.xchgEbGb, "", LOCK),
  form(0x87, "xchg Ev,Gv", move.xchgEvGv, "", LOCK),
  form(0x88, "mov Eb,Gb", move.movEbGb),
  form(0x89, "mov Ev,Gv", move.movEvGv),
  form(0x8a, "mov Gb,Eb", move.movGbEb),
  form(0x8b, "mov Gv,Ev", move.movGvEv),
  form(0x8d, "lea Gv,M", move.lea, "", MEMORY_ONLY),
  form([0x8f, 0], "pop Ev", stack.popEv),
  form(0x90, "pause", move.nop, "", 0, { prefix: 0xf3 }),
  form(0x90, "nop", move.nop),
  ...forRegisters(0x90, opcode => form(opcode, "xchg Zv,eAX", move.xchgZveAX)).slice(1),
  form(0x98, "cbw", move.cbw),
  form(0x99, "cwd", move.cwd),
  form(0x9e, "sahf", flag.sahf, "SZAPC"),
  form(0x9f, "lahf", flag.lahf),
  form(0xa0, "mov AL,Ob", move.movALOb),
  form(0xa1, "mov eAX,Ov", move.moveAXOv),
  form(0xa2, "mov Ob,AL", move.movObAL),
  form(0xa3, "mov Ov,eAX", move.movOveAX),
  form(0xa4, "movsb", string.movsb, "", ENDS),
  form(0xa5, "movsv", string.movsv, "", ENDS),
  form(0xa6, "cmpsb", string.cmpsb, "OSZAPC", ENDS),
  form(0xa7, "cmpsv", string.cmpsv, "OSZAPC", ENDS),
  form(0xa8, "test AL,Ib", arithmetic.compareALIb(and), "OSZaPC"),
  form(0xa9, "test eAX,Iz", arithmetic.compareeAXIz(and), "OSZaPC"),
  form(0xaa, "stosb", string.stosb, "", ENDS),
  form(0xab, "stosv", string.stosv, "", ENDS),
  form(0xac, "lodsb", string.lodsb, "", ENDS),
  form(0xad, "lodsv", string.lodsv, "", ENDS),
  form(0xae, "scasb", string.scasb, "OSZAPC", ENDS),
  form(0xaf, "scasv", string.scasv, "OSZAPC", ENDS),
  ...forRegisters(0xb0, opcode => form(opcode, "mov Zb,Ib", move.movZbIb)),
  ...forRegisters(0xb8, opcode => form(opcode, "mov Zv,Iv", move.movZvIv)),
  ...shiftGroup(0xc0, 0xc1, "Ib"),
  form(0xc2, "ret Iw", branch.retIw, "", ENDS),
  form(0xc3, "ret", branch.ret, "", ENDS),
  form([0xc6, 0], "mov Eb,Ib", move.movEbIb),
  form([0xc7, 0], "mov Ev,Iz", move.movEvIz),
  form(0xc8, "enter Iw,Ib", stack.enter),
  form(0xc9, "leave", stack.leave),
  ...shiftGroup(0xd0, 0xd1, "1"),
  ...shiftGroup(0xd2, 0xd3, "CL"),
  form(0xd4, "aam Ib", multiply.aam, "oSZaPc"),
  form(0xd5, "aad Ib", multiply.aad, "oSZaPc"),
  form(0xd6, "salc", flag.salc),
  form(0xd7, "xlat", move.xlat),
  form(0xe0, "loopne Jb", branch.loopneJb, "", ENDS),
  form(0xe1, "loope Jb", branch.loopeJb, "", ENDS),
  form(0xe2, "loop Jb", branch.loopJb, "", ENDS),
  form(0xe3, "jcxz Jb", branch.jcxzJb, "", ENDS),
  form(0xe4, "in AL,Ib", port.inALIb, "", ENDS),
  form(0xe5, "in eAX,Ib", port.ineAXIb, "", ENDS),
  form(0xe6, "out Ib,AL", port.outIbAL, "", ENDS),
  form(0xe7, "out Ib,eAX", port.outIbeAX, "", ENDS),
  form(0xe8, "call Jz", branch.callJ, "", ENDS),
  form(0xe9, "jmp Jz", branch.jmpJ, "", ENDS),
  form(0xeb, "jmp Jb", branch.jmpJ, "", ENDS),
  form(0xec, "in AL,DX", port.inALDX, "", ENDS),
  form(0xed, "in eAX,DX", port.ineAXDX, "", ENDS),
  form(0xee, "out DX,AL", port.outDXAL, "", ENDS),
  form(0xef, "out DX,eAX", port.outDXeAX, "", ENDS),
  form(0xf4, "hlt", flag.hlt, "", ENDS),
  form(0xf5, "cmc", flag.cmc, "C"),
  form([0xf6, 0], "test Eb,Ib", arithmetic.compareEbIb(and), "OSZaPC"),
  form([0xf6, 1], "test Eb,Ib", arithmetic.compareEbIb(and), "OSZaPC"),
  form([0xf6, 2], "not Eb", arithmetic.Eb(arithmetic.complement), "", LOCK),
  form([0xf6, 3], "neg Eb", arithmetic.Eb(arithmetic.negate), "OSZAPC", LOCK),
  form([0xf6, 4], "mul Eb", multiply.mulEb, "OszapC"),
  form([0xf6, 5], "imul Eb", multiply.imulEb, "OszapC"),
  form([0xf6, 6], "div Eb", multiply.divEb, "oszapc"),
  form([0xf6, 7], "idiv Eb", multiply.idivEb, "oszapc"),
  form([0xf7, 0], "test Ev,Iz", arithmetic.compareEvIz(and), "OSZaPC"),
  form([0xf7, 1], "test Ev,Iz", arithmetic.compareEvIz(and), "OSZaPC"),
  form([0xf7, 2], "not Ev", arithmetic.Ev(arithmetic.complement), "", LOCK),
  form([0xf7, 3], "neg Ev", arithmetic.Ev(arithmetic.negate), "OSZAPC", LOCK),
  form([0xf7, 4], "mul Ev", multiply.mulEv, "OszapC"),
  form([0xf7, 5], "imul Ev", multiply.imulEv, "OszapC"),
  form([0xf7, 6], "div Ev", multiply.divEv, "oszapc"),
  form([0xf7, 7], "idiv Ev", multiply.idivEv, "oszapc"),
  form(0xf8, "clc", flag.clc, "C"),
  form(0xf9, "stc", flag.stc, "C"),
  form(0xfc, "cld", flag.cld),
  form(0xfd, "std", flag.std),
  form([0xfe, 0], "inc Eb", arithmetic.Eb(arithmetic.inc), "OSZAP", LOCK),
  form([0xfe, 1], "dec Eb", arithmetic.Eb(arithmetic.dec), "OSZAP", LOCK),
  form([0xff, 0], "inc Ev", arithmetic.Ev(arithmetic.inc), "OSZAP", LOCK),
  form([0xff, 1], "dec Ev", arithmetic.Ev(arithmetic.dec), "OSZAP", LOCK),
  form([0xff, 2], "call Ev", branch.callEv, "", ENDS),
  form([0xff, 4], "jmp Ev", branch.jmpEv, "", ENDS),
  form([0xff, 6], "push Ev", stack.pushEv),
];
