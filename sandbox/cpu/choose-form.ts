/**
 * Picks the hot form of a decoded instruction, and prepares the fields that its arm uses.
 *
 * Hot forms need 32-bit code in flat segments; everything else is GENERAL.
 */
import { SUPERVISOR_READ, SUPERVISOR_WRITE, USER_READ, USER_WRITE } from "#layers/03-paging/tlb.ts";
import * as hot from "./hot.ts";
import { type Instruction, PREFIX_OPERAND, PREFIX_SEGMENT } from "./instruction.ts";
import { ENDS } from "./opcodes/form.ts";
import type { Shape } from "./opcodes/opcodes.ts";
import {
  CS,
  EBP,
  ESP,
  FS,
  MODE_ALIGNED,
  MODE_CAREFUL,
  MODE_CODE32,
  MODE_FLAT,
  MODE_STACK32,
  MODE_USER,
  ZERO,
} from "./state.ts";

/** Where a hot form takes its registers from: the operands in their order in the text. */
interface HotForm {
  /** Form with a register, and with memory, as the operand E; 0 where there is none. */
  readonly register: number;
  readonly memory: number;
  /** Bytes of the memory operand. */
  readonly size: 1 | 2 | 4;
  readonly writes: boolean;
  /** The order is Gx, Ex: the destination is ModRM.reg. */
  readonly toReg: boolean;
}

function line(register: number, memory: number, options: Partial<HotForm> = {}): HotForm {
  return { register, memory, size: 4, writes: false, toReg: false, ...options };
}

const TO_REG = { toReg: true };
const WRITES = { writes: true };

/** With 32-bit operands. */
const HOT: Readonly<Record<string, HotForm>> = {
  "mov Ev,Gv": line(hot.MOV_RR, hot.MOV_MR, WRITES),
  "mov Gv,Ev": line(hot.MOV_RR, hot.MOV_RM, TO_REG),
  "mov Ev,Iz": line(hot.MOV_RI, hot.MOV_MI, WRITES),
  "mov Zv,Iv": line(hot.MOV_RI, 0),
  "mov eAX,Ov": line(0, hot.MOV_RM, TO_REG),
  "mov Ov,eAX": line(0, hot.MOV_MR, WRITES),
  "mov Eb,Gb": line(hot.MOV_R8R8, hot.MOV_MR8, { size: 1, writes: true }),
  "mov Gb,Eb": line(hot.MOV_R8R8, hot.MOV_R8M, { size: 1, toReg: true }),
  "mov Eb,Ib": line(hot.MOV_R8I, hot.MOV_M8I, { size: 1, writes: true }),
  "mov Zb,Ib": line(hot.MOV_R8I, 0),
  "movzx Gv,Eb": line(hot.MOVZX_RR8, hot.MOVZX_RM8, { size: 1, toReg: true }),
  "movzx Gv,Ew": line(hot.MOVZX_RR16, hot.MOVZX_RM16, { size: 2, toReg: true }),
  "movsx Gv,Eb": line(hot.MOVSX_RR8, hot.MOVSX_RM8, { size: 1, toReg: true }),
  "movsx Gv,Ew": line(hot.MOVSX_RR16, hot.MOVSX_RM16, { size: 2, toReg: true }),
  "add Ev,Gv": line(hot.ADD_RR, hot.ADD_MR, WRITES),
  "add Gv,Ev": line(hot.ADD_RR, hot.ADD_RM, TO_REG),
  "adc Ev,Gv": line(hot.ADC_RR, hot.ADC_MR, WRITES),
  "adc Gv,Ev": line(hot.ADC_RR, hot.ADC_RM, TO_REG),
  "sub Ev,Gv": line(hot.SUB_RR, hot.SUB_MR, WRITES),
  "sub Gv,Ev": line(hot.SUB_RR, hot.SUB_RM, TO_REG),
  "sbb Ev,Gv": line(hot.SBB_RR, 0),
  "sbb Gv,Ev": line(hot.SBB_RR, hot.SBB_RM, TO_REG),
  "and Ev,Gv": line(hot.AND_RR, hot.AND_MR, WRITES),
  "and Gv,Ev": line(hot.AND_RR, hot.AND_RM, TO_REG),
  "or Ev,Gv": line(hot.OR_RR, hot.OR_MR, WRITES),
  "or Gv,Ev": line(hot.OR_RR, hot.OR_RM, TO_REG),
  "xor Ev,Gv": line(hot.XOR_RR, hot.XOR_MR, WRITES),
  "xor Gv,Ev": line(hot.XOR_RR, hot.XOR_RM, TO_REG),
  "cmp Ev,Gv": line(hot.CMP_RR, hot.CMP_MR),
  "cmp Gv,Ev": line(hot.CMP_RR, hot.CMP_RM, TO_REG),
  "test Ev,Gv": line(hot.TEST_RR, hot.TEST_MR),
  "test Ev,Iz": line(hot.TEST_RI, hot.TEST_MI),
  "test eAX,Iz": line(hot.TEST_RI, 0),
  "inc Zv": line(hot.INC_R, 0),
  "dec Zv": line(hot.DEC_R, 0),
  "inc Ev": line(hot.INC_R, hot.INC_M, WRITES),
  "dec Ev": line(hot.DEC_R, hot.DEC_M, WRITES),
  "neg Ev": line(hot.NEG_R, 0),
  "not Ev": line(hot.NOT_R, 0),
  "mul Ev": line(hot.MUL_R, hot.MUL_M),
  "imul Ev": line(hot.IMUL_R, 0),
  "imul Gv,Ev": line(hot.IMUL_RR, hot.IMUL_RM, TO_REG),
  "imul Gv,Ev,Iz": line(hot.IMUL_RRI, 0, TO_REG),
  "imul Gv,Ev,Ibs": line(hot.IMUL_RRI, 0, TO_REG),
  "lea Gv,M": line(0, hot.LEA, TO_REG),
  "xchg Ev,Gv": line(hot.XCHG_RR, 0),
  "bswap Zv": line(hot.BSWAP_R, 0),
  "cmp Eb,Ib": line(hot.CMP_R8I, hot.CMP_M8I, { size: 1 }),
  "cmp AL,Ib": line(hot.CMP_R8I, 0),
  "cmp Eb,Gb": line(hot.CMP_R8R8, hot.CMP_M8R8, { size: 1 }),
  "cmp Gb,Eb": line(hot.CMP_R8R8, hot.CMP_R8M, { size: 1, toReg: true }),
  "test Eb,Gb": line(hot.TEST_R8R8, 0),
  "test Eb,Ib": line(hot.TEST_R8I, hot.TEST_M8I, { size: 1 }),
  "test AL,Ib": line(hot.TEST_R8I, 0),
  "and Eb,Ib": line(hot.AND_R8I, 0),
  "and AL,Ib": line(hot.AND_R8I, 0),
  "sub Eb,Ib": line(hot.SUB_R8I, 0),
  "sub AL,Ib": line(hot.SUB_R8I, 0),
  "add Eb,Gb": line(hot.ADD_R8R8, 0),
  "add Gb,Eb": line(hot.ADD_R8R8, 0, TO_REG),
  "xor Eb,Gb": line(hot.XOR_R8R8, 0),
  "xor Gb,Eb": line(hot.XOR_R8R8, hot.XOR_R8M, { size: 1, toReg: true }),
  "cwd ": line(hot.CDQ, 0),
  "nop ": line(hot.NOP, 0),
};

for (const [name, register, memory] of [
  ["add", hot.ADD_RI, hot.ADD_MI],
  ["adc", hot.ADC_RI, hot.ADC_MI],
  ["sub", hot.SUB_RI, hot.SUB_MI],
  ["sbb", hot.SBB_RI, 0],
  ["and", hot.AND_RI, hot.AND_MI],
  ["or", hot.OR_RI, hot.OR_MI],
  ["xor", hot.XOR_RI, hot.XOR_MI],
  ["cmp", hot.CMP_RI, hot.CMP_MI],
] as const) {
  const table = HOT as Record<string, HotForm>;
  const writes = name !== "cmp";
  table[`${name} Ev,Iz`] = line(register, memory, { writes });
  table[`${name} Ev,Ibs`] = line(register, memory, { writes });
  table[`${name} eAX,Iz`] = line(register, 0);
}

const SHIFTS: Readonly<Record<string, number>> = {
  "shl Ev,Ib": hot.SHL_RI,
  "shr Ev,Ib": hot.SHR_RI,
  "sar Ev,Ib": hot.SAR_RI,
  "rol Ev,Ib": hot.ROL_RI,
  "ror Ev,Ib": hot.ROR_RI,
  "shl Ev,1": hot.SHL_RI,
  "shr Ev,1": hot.SHR_RI,
  "sar Ev,1": hot.SAR_RI,
  "rol Ev,1": hot.ROL_RI,
  "ror Ev,1": hot.ROR_RI,
  "shld Ev,Gv,Ib": hot.SHLD_RRI,
  "shrd Ev,Gv,Ib": hot.SHRD_RRI,
  "shl Ev,CL": hot.SHL_RC,
  "shr Ev,CL": hot.SHR_RC,
  "sar Ev,CL": hot.SAR_RC,
};

/** Forms with a memory operand that the instruction's text does not show: the top of the stack. */
const STACK: Readonly<Record<string, number>> = {
  "push Zv": hot.PUSH_R,
  "push Iz": hot.PUSH_I,
  "push Ibs": hot.PUSH_I,
  "pop Zv": hot.POP_R,
  "call Jz": hot.CALL,
  "call Ev": hot.CALL_R,
  "ret ": hot.RET,
  "ret Iw": hot.RET,
  "leave ": hot.LEAVE,
};
const PUSHES: readonly number[] = [hot.PUSH_R, hot.PUSH_I, hot.CALL, hot.CALL_R];

const FLAT_32 = MODE_CODE32 | MODE_STACK32 | MODE_FLAT;

/** What the text of a line says about its hot forms. */
interface Plan {
  readonly kind: "none" | "operands" | "shift" | "stack" | "jump" | "indirect jump" | "setcc" | "cmov";
  readonly form: HotForm;
  readonly countsByCL: boolean;
  /** The form with a 16-bit memory operand; 0 where there is none. */
  readonly memory16: number;
}

const NONE = line(0, 0);
const MEMORY_16: Readonly<Record<string, number>> = {
  "mov Gv,Ev": hot.MOV_R16M,
  "mov Ev,Gv": hot.MOV_MR16,
};

function makePlan({ form: { mnemonic, operands, opcode }, immediate }: Shape): Plan {
  const text = `${mnemonic} ${operands}`;
  const plan = (kind: Plan["kind"], form = NONE): Plan => ({
    kind,
    form,
    countsByCL: text.endsWith("CL"),
    memory16: MEMORY_16[text] ?? 0,
  });
  const shift = SHIFTS[text];
  if (shift !== undefined) return plan("shift", line(shift, 0));
  const stack = STACK[text];
  if (stack !== undefined) return plan("stack", line(stack, 0));
  if (text === "jmp Ev") return plan("indirect jump");
  if (operands === "Jb" || immediate === "jump") return plan("jump", line(jumpForm(opcode, text), 0));
  if (opcode >= 0x0f90 && opcode <= 0x0f9f) return plan("setcc");
  if (opcode >= 0x0f40 && opcode <= 0x0f4f) return plan("cmov");
  const operandsForm = HOT[text];
  return operandsForm === undefined ? plan("none") : plan("operands", operandsForm);
}

const plans = new Map<Shape, Plan>();

function planOf(shape: Shape): Plan {
  let plan = plans.get(shape);
  if (plan === undefined) {
    plan = makePlan(shape);
    plans.set(shape, plan);
  }
  return plan;
}

/** The form for `insn`, whose line is `shape` (null: an invalid opcode), in a page of `mode`. */
export function chooseForm(insn: Instruction, shape: Shape | null, mode: number): number {
  if ((mode & MODE_CAREFUL) !== 0) return hot.CAREFUL;
  if (shape === null) return hot.GENERAL_ENDS;
  const general = (shape.attributes & ENDS) !== 0 ? hot.GENERAL_ENDS : hot.GENERAL;
  if ((mode & (FLAT_32 | MODE_ALIGNED)) !== FLAT_32 || insn.addressMask !== -1) return general;
  if ((insn.prefixes & ~(PREFIX_SEGMENT | PREFIX_OPERAND)) !== 0) return general;
  if (insn.isMemory && (insn.segment >= FS || insn.segment === CS)) return general;
  const plan = planOf(shape);
  const isUser = (mode & MODE_USER) !== 0;
  const { form } = plan;
  insn.destination = insn.rmIndex;
  insn.source = insn.regIndex;
  if ((insn.prefixes & PREFIX_OPERAND) !== 0) {
    if (plan.memory16 === 0 || !insn.isMemory) return general;
    return memory(insn, plan.memory16, 2, form.writes, isUser, form.toReg);
  }
  switch (plan.kind) {
    case "none":
      return general;
    case "shift":
      insn.immediate &= 31;
      return insn.isMemory || (insn.immediate === 0 && !plan.countsByCL) ? general : form.register;
    case "stack":
      return insn.isMemory ? general : stackForm(insn, form.register, isUser);
    case "jump":
      return form.register !== 0 && linkTarget(insn) ? form.register : general;
    case "indirect jump":
      insn.source = insn.rmIndex;
      return insn.isMemory ? memory(insn, hot.JMP_M, 4, false, isUser, false) : hot.JMP_R;
    case "setcc":
      return insn.isMemory ? general : hot.SETCC_R8;
    case "cmov":
      insn.destination = insn.regIndex;
      insn.source = insn.rmIndex;
      return insn.isMemory ? general : hot.CMOVCC_RR;
    case "operands":
      return operandsForm(insn, form, isUser) || general;
  }
}

/** 0: no hot form for this kind of operand. */
function operandsForm(insn: Instruction, form: HotForm, isUser: boolean): number {
  if (insn.isMemory) {
    if (form.memory === hot.LEA) {
      insn.destination = insn.regIndex;
      return hot.LEA;
    }
    return form.memory === 0 ? 0 : memory(insn, form.memory, form.size, form.writes, isUser, form.toReg);
  }
  if (form.toReg) {
    insn.destination = insn.regIndex;
    insn.source = insn.rmIndex;
  }
  if (form.register === hot.MUL_R || form.register === hot.IMUL_R) insn.source = insn.rmIndex;
  return form.register;
}

function memory(
  insn: Instruction,
  form: number,
  size: number,
  writes: boolean,
  isUser: boolean,
  toReg: boolean,
): number {
  insn.span = size - 1;
  insn.tlbTable = isUser ? (writes ? USER_WRITE : USER_READ) : writes ? SUPERVISOR_WRITE : SUPERVISOR_READ;
  if (toReg) insn.destination = insn.regIndex;
  return form;
}

function stackForm(insn: Instruction, form: number, isUser: boolean): number {
  const pushes = PUSHES.includes(form);
  insn.base = form === hot.LEAVE ? EBP : ESP;
  insn.index = ZERO;
  insn.scale = 0;
  insn.displacement = pushes ? -4 : 0;
  insn.source = insn.rmIndex;
  memory(insn, form, 4, pushes, isUser, false);
  if (form !== hot.CALL) return form;
  return linkTarget(insn) ? hot.CALL : hot.CALL_FAR_PAGE;
}

/** Jcc, JMP and LOOP to a place in the page; 0 for all others. */
function jumpForm(opcode: number, text: string): number {
  if ((opcode & 0xf0) === 0x70 && opcode < 0x100) return hot.JCC + (opcode & 0xf);
  if ((opcode & 0xfff0) === 0x0f80) return hot.JCC + (opcode & 0xf);
  if (text === "jmp Jb" || text === "jmp Jz") return hot.JMP;
  return text === "loop Jb" ? hot.LOOP : 0;
}

/** Links a relative jump to its target, if that is in the same page. */
function linkTarget(insn: Instruction): boolean {
  const place = insn.offset + insn.length + insn.immediate;
  if (place < 0 || place >= 4096) return false;
  insn.target = insn.page!.at(place);
  return true;
}
