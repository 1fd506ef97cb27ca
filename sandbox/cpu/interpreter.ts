/**
 * The loop: executes linked instructions until something needs a wider view.
 *
 * It returns when the budget is spent, when an instruction asked for attention (a change of mode or flags,
 * an exit), and by a throw when an instruction faults. The hot forms are arms of one switch: the engine
 * that runs us compiles it to a jump table, where a call through `execute` costs several times more. The
 * memory operand of a form is found before the switch, in one place: one probe of the TLB. An operand that
 * is not plain memory in one page makes the instruction take the general way.
 *
 * EIP is not kept up while hot forms execute: `eipBase`, the value of EIP at the page's first byte, plus
 * the place in the page is always enough to make it.
 */
import * as alu from "#layers/02-real-mode/alu.ts";
import * as tlb from "#layers/03-paging/tlb.ts";
import type { Cpu } from "./cpu.ts";
import * as hot from "./hot.ts";
import { Instruction } from "./instruction.ts";
import * as state from "./state.ts";

// Constants of this module's own: V8 folds them into the loop, while it reads imported ones every time.
const { PAGE_MASK, TLB_MASK } = tlb;
const { CARRY, HALF_CARRY } = alu;
const {
  ATTENTION,
  BUDGET,
  EAX,
  EBP,
  ECX,
  EDX,
  EIP,
  ESP,
  FLAG_CARRIES,
  FLAG_RESULT,
  INSTRUCTION_EIP,
  SAVED_CARRIES,
  SAVED_ESP,
  SAVED_RESULT,
} = state;
const { FIRST_MEMORY } = hot;

/** What a hot form keeps of the carries: those that are flags. */
const CARRIES = 0xc000_0008 | 0;
const CARRY_AND_SIGN = 0xc000_0000 | 0;
const PAGE_SIZE = 4096;

/** A jump out of the page: the loop fetches what is at `eipBase`. */
const ELSEWHERE = new Instruction(null, 0, () => {});

export function interpret(cpu: Cpu): void {
  const { r32, r16, r8, view, bytes } = cpu;
  const { tags, deltas } = cpu.tlb;
  let remaining = r32[BUDGET];
  let insn = cpu.fetch();
  let eipBase = (r32[EIP] - insn.offset) | 0;
  let host = 0;

  while (remaining > 0) {
    remaining--;
    let form = insn.form;
    if (form >= FIRST_MEMORY) {
      const address = (r32[insn.base] + (r32[insn.index] << insn.scale) + insn.displacement) | 0;
      const entry = ((address >>> 12) & TLB_MASK) + insn.tlbTable;
      if (tags[entry] === ((address + insn.span) & PAGE_MASK)) host = (address + deltas[entry]) >>> 0;
      else form = 2;
    }
    switch (form) {
      case /* UNDECODED */ 0: {
        remaining++;
        r32[EIP] = eipBase + insn.offset;
        r32[BUDGET] = remaining;
        insn = cpu.fetch();
        eipBase = (r32[EIP] - insn.offset) | 0;
        if (r32[ATTENTION] !== 0) return;
        continue;
      }
      case /* GENERAL */ 1: {
        r32[INSTRUCTION_EIP] = eipBase + insn.offset;
        r32[EIP] = eipBase + insn.offset + insn.length;
        r32[SAVED_RESULT] = r32[FLAG_RESULT];
        r32[SAVED_CARRIES] = r32[FLAG_CARRIES];
        r32[SAVED_ESP] = r32[ESP];
        r32[BUDGET] = remaining;
        insn.execute(cpu, insn);
        break;
      }
      case /* CAREFUL */ 63:
      case /* GENERAL_ENDS */ 2: {
        r32[INSTRUCTION_EIP] = eipBase + insn.offset;
        r32[EIP] = eipBase + insn.offset + insn.length;
        r32[SAVED_RESULT] = r32[FLAG_RESULT];
        r32[SAVED_CARRIES] = r32[FLAG_CARRIES];
        r32[SAVED_ESP] = r32[ESP];
        r32[BUDGET] = remaining;
        if (form === 63) cpu.checkCodeLimit(r32[INSTRUCTION_EIP], insn.length);
        insn.execute(cpu, insn);
        if (r32[ATTENTION] !== 0) return;
        remaining = r32[BUDGET];
        eipBase = r32[EIP];
        insn = ELSEWHERE;
        continue;
      }

      case /* MOV_RR */ 3:
        r32[insn.destination] = r32[insn.source];
        break;
      case /* MOV_RI */ 4:
        r32[insn.destination] = insn.immediate;
        break;
      case /* ADD_RR */ 5: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* ADD_RI */ 6: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* ADC_RR */ 7: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* ADC_RI */ 8: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* SUB_RR */ 9: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* SUB_RI */ 10: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* SBB_RR */ 11: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a - b - (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* SBB_RI */ 12: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a - b - (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* CMP_RR */ 13: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case /* CMP_RI */ 14: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case /* AND_RR */ 15: {
        const result = r32[insn.destination] & r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case /* AND_RI */ 16: {
        const result = r32[insn.destination] & insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case /* OR_RR */ 17: {
        const result = r32[insn.destination] | r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case /* OR_RI */ 18: {
        const result = r32[insn.destination] | insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case /* XOR_RR */ 19: {
        const result = r32[insn.destination] ^ r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case /* XOR_RI */ 20: {
        const result = r32[insn.destination] ^ insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case /* TEST_RR */ 21: {
        const result = r32[insn.destination] & r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case /* TEST_RI */ 22: {
        const result = r32[insn.destination] & insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case /* INC_R */ 23: {
        const a = r32[insn.destination];
        const result = (a + 1) | 0;
        r32[FLAG_RESULT] = result;
        const carries = a & ~result;
        r32[FLAG_CARRIES] =
          shiftCarries(r32[FLAG_CARRIES], carries ^ (carries << 1)) | (carries & HALF_CARRY);
        r32[insn.destination] = result;
        break;
      }
      case /* DEC_R */ 24: {
        const a = r32[insn.destination];
        const result = (a - 1) | 0;
        r32[FLAG_RESULT] = result;
        const carries = ~a & result;
        r32[FLAG_CARRIES] =
          shiftCarries(r32[FLAG_CARRIES], carries ^ (carries << 1)) | (carries & HALF_CARRY);
        r32[insn.destination] = result;
        break;
      }
      case /* NEG_R */ 25: {
        const a = r32[insn.destination];
        const result = (0 - a) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = (a | result) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* NOT_R */ 26:
        r32[insn.destination] = ~r32[insn.destination];
        break;

      // Shifts by 1 to 31; the bit shifted out last is CF, and OF as the last single shift leaves it.
      case /* SHL_RI */ 27: {
        const a = r32[insn.destination];
        const result = a << insn.immediate;
        const carry = a << (insn.immediate - 1);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries(carry, result ^ carry);
        r32[insn.destination] = result;
        break;
      }
      case /* SHR_RI */ 28: {
        const a = r32[insn.destination];
        const result = (a >>> insn.immediate) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >>> (insn.immediate - 1)) << 31, result ^ (result << 1));
        r32[insn.destination] = result;
        break;
      }
      case /* SAR_RI */ 29: {
        const a = r32[insn.destination];
        const result = a >> insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >> (insn.immediate - 1)) << 31, 0);
        r32[insn.destination] = result;
        break;
      }
      case /* SHL_RC */ 32: {
        const count = r32[ECX] & 31;
        if (count === 0) break;
        const a = r32[insn.destination];
        const result = a << count;
        const carry = a << (count - 1);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries(carry, result ^ carry);
        r32[insn.destination] = result;
        break;
      }
      case /* SHR_RC */ 33: {
        const count = r32[ECX] & 31;
        if (count === 0) break;
        const a = r32[insn.destination];
        const result = (a >>> count) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >>> (count - 1)) << 31, result ^ (result << 1));
        r32[insn.destination] = result;
        break;
      }
      case /* SAR_RC */ 34: {
        const count = r32[ECX] & 31;
        if (count === 0) break;
        const a = r32[insn.destination];
        const result = a >> count;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >> (count - 1)) << 31, 0);
        r32[insn.destination] = result;
        break;
      }
      case /* ROL_RI */ 30: {
        const a = r32[insn.destination];
        const result = (a << insn.immediate) | (a >>> (32 - insn.immediate));
        r32[FLAG_CARRIES] =
          ((r32[FLAG_CARRIES] << 2) >>> 2) | shiftCarries(result << 31, result ^ (result << 31));
        r32[insn.destination] = result;
        break;
      }
      case /* ROR_RI */ 31: {
        const a = r32[insn.destination];
        const result = (a >>> insn.immediate) | (a << (32 - insn.immediate));
        r32[FLAG_CARRIES] = ((r32[FLAG_CARRIES] << 2) >>> 2) | shiftCarries(result, result ^ (result << 1));
        r32[insn.destination] = result;
        break;
      }
      case /* SHLD_RRI */ 35: {
        const a = r32[insn.destination];
        const result = (a << insn.immediate) | (r32[insn.source] >>> (32 - insn.immediate));
        const carry = a << (insn.immediate - 1);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries(carry, result ^ carry);
        r32[insn.destination] = result;
        break;
      }
      case /* SHRD_RRI */ 36: {
        const a = r32[insn.destination];
        const result = (a >>> insn.immediate) | (r32[insn.source] << (32 - insn.immediate));
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >>> (insn.immediate - 1)) << 31, result ^ (result << 1));
        r32[insn.destination] = result;
        break;
      }

      case /* IMUL_RR */ 37: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = Math.imul(a, b);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = a * b === result ? 0 : CARRY;
        r32[insn.destination] = result;
        break;
      }
      case /* IMUL_RRI */ 38: {
        const a = r32[insn.source];
        const b = insn.immediate;
        const result = Math.imul(a, b);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = a * b === result ? 0 : CARRY;
        r32[insn.destination] = result;
        break;
      }
      case /* MUL_R */ 39: {
        const a = r32[EAX];
        const b = r32[insn.source];
        const result = Math.imul(a, b);
        const high = multiplyHigh(a, b);
        r32[EAX] = result;
        r32[EDX] = high;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = high === 0 ? 0 : CARRY;
        break;
      }
      case /* IMUL_R */ 40: {
        const a = r32[EAX];
        const b = r32[insn.source];
        const result = Math.imul(a, b);
        const high = (multiplyHigh(a, b) - ((a >> 31) & b) - ((b >> 31) & a)) | 0;
        r32[EAX] = result;
        r32[EDX] = high;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = high === result >> 31 ? 0 : CARRY;
        break;
      }
      case /* LEA */ 41:
        r32[insn.destination] = r32[insn.base] + (r32[insn.index] << insn.scale) + insn.displacement;
        break;
      case /* XCHG_RR */ 42: {
        const a = r32[insn.destination];
        r32[insn.destination] = r32[insn.source];
        r32[insn.source] = a;
        break;
      }
      case /* CDQ */ 43:
        r32[EDX] = r32[EAX] >> 31;
        break;
      case /* MOVZX_RR8 */ 44:
        r32[insn.destination] = r8[insn.source];
        break;
      case /* MOVZX_RR16 */ 45:
        r32[insn.destination] = r16[insn.source];
        break;
      case /* MOVSX_RR8 */ 46:
        r32[insn.destination] = (r8[insn.source] << 24) >> 24;
        break;
      case /* MOVSX_RR16 */ 47:
        r32[insn.destination] = (r16[insn.source] << 16) >> 16;
        break;
      case /* MOV_R8R8 */ 48:
        r8[insn.destination] = r8[insn.source];
        break;
      case /* MOV_R8I */ 49:
        r8[insn.destination] = insn.immediate;
        break;
      case /* BSWAP_R */ 58: {
        const a = r32[insn.destination];
        r32[insn.destination] = (a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24);
        break;
      }
      case /* NOP */ 59:
        break;
      case /* SETCC_R8 */ 60:
      case /* CMOVCC_RR */ 61: {
        const holds = alu.condition(r32, insn.opcode & 0xf);
        if (form === 60) r8[insn.destination] = holds ? 1 : 0;
        else if (holds) r32[insn.destination] = r32[insn.source];
        break;
      }
      case /* CMP_R8I */ 50: {
        const a = r8[insn.destination] << 24;
        const b = insn.immediate << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case /* CMP_R8R8 */ 51: {
        const a = r8[insn.destination] << 24;
        const b = r8[insn.source] << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case /* TEST_R8R8 */ 52: {
        const result = (r8[insn.destination] & r8[insn.source]) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case /* TEST_R8I */ 53: {
        const result = (r8[insn.destination] & insn.immediate) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case /* AND_R8I */ 54: {
        const result = (r8[insn.destination] & insn.immediate) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        r8[insn.destination] = result >> 24;
        break;
      }
      case /* ADD_R8R8 */ 55: {
        const a = r8[insn.destination] << 24;
        const b = r8[insn.source] << 24;
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (a & b) | ((a | b) & ~result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        r8[insn.destination] = result >> 24;
        break;
      }
      case /* SUB_R8I */ 56: {
        const a = r8[insn.destination] << 24;
        const b = insn.immediate << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        r8[insn.destination] = result >> 24;
        break;
      }
      case /* XOR_R8R8 */ 57: {
        const result = (r8[insn.destination] ^ r8[insn.source]) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        r8[insn.destination] = result >> 24;
        break;
      }

      // Jumps inside the page.
      case /* JMP */ 64:
        insn = insn.target;
        continue;
      case /* LOOP */ 65:
        r32[ECX]--;
        insn = r32[ECX] !== 0 ? insn.target : insn.next;
        continue;
      case /* JCC */ 66: {
        const carries = r32[FLAG_CARRIES];
        insn = (carries ^ (carries << 1)) < 0 ? insn.target : insn.next;
        continue;
      }
      case /* JCC + 1 */ 67: {
        const carries = r32[FLAG_CARRIES];
        insn = (carries ^ (carries << 1)) >= 0 ? insn.target : insn.next;
        continue;
      }
      case /* JCC + 2 */ 68:
        insn = r32[FLAG_CARRIES] < 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 3 */ 69:
        insn = r32[FLAG_CARRIES] >= 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 4 */ 70:
        insn = r32[FLAG_RESULT] === 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 5 */ 71:
        insn = r32[FLAG_RESULT] !== 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 6 */ 72:
        insn = r32[FLAG_CARRIES] < 0 || r32[FLAG_RESULT] === 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 7 */ 73:
        insn = r32[FLAG_CARRIES] >= 0 && r32[FLAG_RESULT] !== 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 8 */ 74:
        insn = (r32[FLAG_RESULT] ^ (r32[FLAG_CARRIES] << 31)) < 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 9 */ 75:
        insn = (r32[FLAG_RESULT] ^ (r32[FLAG_CARRIES] << 31)) >= 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 10 */ 76:
        insn = alu.parityFlag(r32) ? insn.target : insn.next;
        continue;
      case /* JCC + 11 */ 77:
        insn = alu.parityFlag(r32) ? insn.next : insn.target;
        continue;
      case /* JCC + 12 */ 78:
        insn = signOverOverflow(r32[FLAG_RESULT], r32[FLAG_CARRIES]) < 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 13 */ 79:
        insn = signOverOverflow(r32[FLAG_RESULT], r32[FLAG_CARRIES]) >= 0 ? insn.target : insn.next;
        continue;
      case /* JCC + 14 */ 80: {
        const result = r32[FLAG_RESULT];
        insn = result === 0 || signOverOverflow(result, r32[FLAG_CARRIES]) < 0 ? insn.target : insn.next;
        continue;
      }
      case /* JCC + 15 */ 81: {
        const result = r32[FLAG_RESULT];
        insn = result !== 0 && signOverOverflow(result, r32[FLAG_CARRIES]) >= 0 ? insn.target : insn.next;
        continue;
      }
      case /* JMP_R */ 82: {
        const place = (r32[insn.source] - eipBase) | 0;
        if (place >>> 0 < PAGE_SIZE) insn = insn.page!.at(place);
        else {
          eipBase = r32[insn.source];
          insn = ELSEWHERE;
        }
        continue;
      }

      // Memory operands: at `host`.
      case /* MOV_RM */ 90:
        r32[insn.destination] = view.getInt32(host, true);
        break;
      case /* MOV_MR */ 91:
        view.setInt32(host, r32[insn.source], true);
        break;
      case /* MOV_MI */ 92:
        view.setInt32(host, insn.immediate, true);
        break;
      case /* MOV_R8M */ 93:
        r8[insn.destination] = bytes[host];
        break;
      case /* MOV_MR8 */ 94:
        bytes[host] = r8[insn.source];
        break;
      case /* MOV_M8I */ 95:
        bytes[host] = insn.immediate;
        break;
      case /* MOV_R16M */ 96:
        r16[insn.destination] = view.getUint16(host, true);
        break;
      case /* MOV_MR16 */ 97:
        view.setUint16(host, r16[insn.source], true);
        break;
      case /* MOVZX_RM8 */ 98:
        r32[insn.destination] = bytes[host];
        break;
      case /* MOVZX_RM16 */ 99:
        r32[insn.destination] = view.getUint16(host, true);
        break;
      case /* MOVSX_RM8 */ 100:
        r32[insn.destination] = (bytes[host] << 24) >> 24;
        break;
      case /* MOVSX_RM16 */ 101:
        r32[insn.destination] = view.getInt16(host, true);
        break;
      case /* ADD_RM */ 102: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* ADC_RM */ 103: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* SUB_RM */ 104: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* SBB_RM */ 105: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a - b - (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case /* CMP_RM */ 106: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case /* AND_RM */ 107: {
        const result = r32[insn.destination] & view.getInt32(host, true);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case /* OR_RM */ 108: {
        const result = r32[insn.destination] | view.getInt32(host, true);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case /* XOR_RM */ 109: {
        const result = r32[insn.destination] ^ view.getInt32(host, true);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case /* CMP_MR */ 111: {
        const a = view.getInt32(host, true);
        const b = r32[insn.source];
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case /* CMP_MI */ 112: {
        const a = view.getInt32(host, true);
        const b = insn.immediate;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case /* TEST_MR */ 113: {
        const result = view.getInt32(host, true) & r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case /* TEST_MI */ 114: {
        const result = view.getInt32(host, true) & insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case /* CMP_M8I */ 115: {
        const a = bytes[host] << 24;
        const b = insn.immediate << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case /* CMP_R8M */ 116: {
        const a = r8[insn.destination] << 24;
        const b = bytes[host] << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case /* CMP_M8R8 */ 117: {
        const a = bytes[host] << 24;
        const b = r8[insn.source] << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case /* TEST_M8I */ 118: {
        const result = (bytes[host] & insn.immediate) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case /* XOR_R8M */ 119: {
        const result = (r8[insn.destination] ^ bytes[host]) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        r8[insn.destination] = result >> 24;
        break;
      }
      case /* ADD_MR */ 120: {
        const a = view.getInt32(host, true);
        const b = r32[insn.source];
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case /* ADD_MI */ 121: {
        const a = view.getInt32(host, true);
        const b = insn.immediate;
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case /* ADC_MR */ 122: {
        const a = view.getInt32(host, true);
        const b = r32[insn.source];
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case /* ADC_MI */ 123: {
        const a = view.getInt32(host, true);
        const b = insn.immediate;
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case /* SUB_MR */ 124: {
        const a = view.getInt32(host, true);
        const b = r32[insn.source];
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case /* SUB_MI */ 125: {
        const a = view.getInt32(host, true);
        const b = insn.immediate;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case /* AND_MR */ 126: {
        const result = view.getInt32(host, true) & r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case /* AND_MI */ 127: {
        const result = view.getInt32(host, true) & insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case /* OR_MR */ 128: {
        const result = view.getInt32(host, true) | r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case /* OR_MI */ 129: {
        const result = view.getInt32(host, true) | insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case /* XOR_MR */ 130: {
        const result = view.getInt32(host, true) ^ r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case /* XOR_MI */ 131: {
        const result = view.getInt32(host, true) ^ insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case /* IMUL_RM */ 110: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = Math.imul(a, b);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = a * b === result ? 0 : CARRY;
        r32[insn.destination] = result;
        break;
      }
      case /* MUL_M */ 144: {
        const a = r32[EAX];
        const b = view.getInt32(host, true);
        const result = Math.imul(a, b);
        const high = multiplyHigh(a, b);
        r32[EAX] = result;
        r32[EDX] = high;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = high === 0 ? 0 : CARRY;
        break;
      }
      case /* INC_M */ 132: {
        const a = view.getInt32(host, true);
        const result = (a + 1) | 0;
        r32[FLAG_RESULT] = result;
        const carries = a & ~result;
        r32[FLAG_CARRIES] =
          shiftCarries(r32[FLAG_CARRIES], carries ^ (carries << 1)) | (carries & HALF_CARRY);
        view.setInt32(host, result, true);
        break;
      }
      case /* DEC_M */ 133: {
        const a = view.getInt32(host, true);
        const result = (a - 1) | 0;
        r32[FLAG_RESULT] = result;
        const carries = ~a & result;
        r32[FLAG_CARRIES] =
          shiftCarries(r32[FLAG_CARRIES], carries ^ (carries << 1)) | (carries & HALF_CARRY);
        view.setInt32(host, result, true);
        break;
      }

      // The stack: the memory operand is its top, before a push 4 bytes below.
      case /* PUSH_R */ 134:
        view.setInt32(host, r32[insn.source], true);
        r32[ESP] -= 4;
        break;
      case /* PUSH_I */ 135:
        view.setInt32(host, insn.immediate, true);
        r32[ESP] -= 4;
        break;
      case /* POP_R */ 136: {
        const value = view.getInt32(host, true);
        r32[ESP] += 4;
        r32[insn.destination] = value;
        break;
      }
      case /* CALL */ 137:
        view.setInt32(host, eipBase + insn.offset + insn.length, true);
        r32[ESP] -= 4;
        insn = insn.target;
        continue;
      case /* CALL_FAR_PAGE */ 138: {
        const after = (eipBase + insn.offset + insn.length) | 0;
        view.setInt32(host, after, true);
        r32[ESP] -= 4;
        eipBase = (after + insn.immediate) | 0;
        insn = ELSEWHERE;
        continue;
      }
      case /* CALL_R */ 139: {
        const eip = r32[insn.source];
        view.setInt32(host, eipBase + insn.offset + insn.length, true);
        r32[ESP] -= 4;
        const place = (eip - eipBase) | 0;
        if (place >>> 0 < PAGE_SIZE) insn = insn.page!.at(place);
        else {
          eipBase = eip;
          insn = ELSEWHERE;
        }
        continue;
      }
      case /* RET */ 140: {
        const eip = view.getInt32(host, true);
        r32[ESP] += 4 + insn.immediate;
        const place = (eip - eipBase) | 0;
        if (place >>> 0 < PAGE_SIZE) insn = insn.page!.at(place);
        else {
          eipBase = eip;
          insn = ELSEWHERE;
        }
        continue;
      }
      case /* LEAVE */ 142: {
        const value = view.getInt32(host, true);
        r32[ESP] = r32[EBP] + 4;
        r32[EBP] = value;
        break;
      }
      case /* JMP_M */ 143: {
        const eip = view.getInt32(host, true);
        const place = (eip - eipBase) | 0;
        if (place >>> 0 < PAGE_SIZE) insn = insn.page!.at(place);
        else {
          eipBase = eip;
          insn = ELSEWHERE;
        }
        continue;
      }
      default:
        throw new Error(`form ${form} has no arm in the interpreter`);
    }
    insn = insn.next;
  }
  r32[BUDGET] = 0;
  r32[EIP] = eipBase + insn.offset;
}

/**
 * The sign of `carry` is CF, the sign of `overflow` is OF. Shifts make a function that is small enough to be
 * compiled into the loop wherever it is called; constants of 32 bits do not.
 */
function shiftCarries(carry: number, overflow: number): number {
  return ((carry >>> 31) << 31) | (((carry ^ overflow) >>> 31) << 30);
}

/** SF ^ OF, as a sign. */
function signOverOverflow(result: number, carries: number): number {
  return result ^ (carries << 31) ^ carries ^ (carries << 1);
}

/** The upper half of the unsigned product. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return (aHigh * bHigh + Math.floor(middle / 0x1_0000) + (((middle & 0xffff) + aLow * bHigh) >>> 16)) | 0;
}
