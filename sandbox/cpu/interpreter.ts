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
import { CARRY, CARRY_INTO_SIGN, condition, HALF_CARRY, parityFlag } from "#layers/02-real-mode/alu.ts";
import { PAGE_MASK, TLB_MASK } from "#layers/03-paging/tlb.ts";
import type { Cpu } from "./cpu.ts";
import * as hot from "./hot.ts";
import {
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
} from "./state.ts";

/** What a hot form keeps of the carries: those that are flags. */
const CARRIES = 0xc000_0008 | 0;
const CARRY_AND_SIGN = 0xc000_0000 | 0;
const PAGE_SIZE = 4096;

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
    if (form >= hot.FIRST_MEMORY) {
      const address = (r32[insn.base] + (r32[insn.index] << insn.scale) + insn.displacement) | 0;
      const entry = ((address >>> 12) & TLB_MASK) + insn.tlbTable;
      if (tags[entry] === ((address + insn.span) & PAGE_MASK)) host = (address + deltas[entry]) >>> 0;
      else form = hot.GENERAL_ENDS;
    }
    switch (form) {
      case hot.UNDECODED: {
        remaining++;
        r32[EIP] = eipBase + insn.offset;
        r32[BUDGET] = remaining;
        insn = cpu.fetch();
        eipBase = (r32[EIP] - insn.offset) | 0;
        if (r32[ATTENTION] !== 0) return;
        continue;
      }
      case hot.GENERAL: {
        r32[INSTRUCTION_EIP] = eipBase + insn.offset;
        r32[EIP] = eipBase + insn.offset + insn.length;
        r32[SAVED_RESULT] = r32[FLAG_RESULT];
        r32[SAVED_CARRIES] = r32[FLAG_CARRIES];
        r32[SAVED_ESP] = r32[ESP];
        r32[BUDGET] = remaining;
        insn.execute(cpu, insn);
        break;
      }
      case hot.CAREFUL:
      case hot.GENERAL_ENDS: {
        r32[INSTRUCTION_EIP] = eipBase + insn.offset;
        r32[EIP] = eipBase + insn.offset + insn.length;
        r32[SAVED_RESULT] = r32[FLAG_RESULT];
        r32[SAVED_CARRIES] = r32[FLAG_CARRIES];
        r32[SAVED_ESP] = r32[ESP];
        r32[BUDGET] = remaining;
        if (form === hot.CAREFUL) cpu.checkCodeLimit(r32[INSTRUCTION_EIP], insn.length);
        insn.execute(cpu, insn);
        if (r32[ATTENTION] !== 0) return;
        remaining = r32[BUDGET];
        insn = cpu.fetch();
        eipBase = (r32[EIP] - insn.offset) | 0;
        continue;
      }

      case hot.MOV_RR:
        r32[insn.destination] = r32[insn.source];
        break;
      case hot.MOV_RI:
        r32[insn.destination] = insn.immediate;
        break;
      case hot.ADD_RR: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.ADD_RI: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.ADC_RR: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.ADC_RI: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.SUB_RR: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.SUB_RI: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.SBB_RR: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a - b - (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.SBB_RI: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a - b - (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.CMP_RR: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case hot.CMP_RI: {
        const a = r32[insn.destination];
        const b = insn.immediate;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case hot.AND_RR: {
        const result = r32[insn.destination] & r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case hot.AND_RI: {
        const result = r32[insn.destination] & insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case hot.OR_RR: {
        const result = r32[insn.destination] | r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case hot.OR_RI: {
        const result = r32[insn.destination] | insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case hot.XOR_RR: {
        const result = r32[insn.destination] ^ r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case hot.XOR_RI: {
        const result = r32[insn.destination] ^ insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case hot.TEST_RR: {
        const result = r32[insn.destination] & r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case hot.TEST_RI: {
        const result = r32[insn.destination] & insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case hot.INC_R: {
        const a = r32[insn.destination];
        const result = (a + 1) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = keepCarry(r32[FLAG_CARRIES], a & ~result);
        r32[insn.destination] = result;
        break;
      }
      case hot.DEC_R: {
        const a = r32[insn.destination];
        const result = (a - 1) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = keepCarry(r32[FLAG_CARRIES], ~a & result);
        r32[insn.destination] = result;
        break;
      }
      case hot.NEG_R: {
        const a = r32[insn.destination];
        const result = (0 - a) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = (a | result) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.NOT_R:
        r32[insn.destination] = ~r32[insn.destination];
        break;

      // Shifts by 1 to 31; the bit shifted out last is CF, and OF as the last single shift leaves it.
      case hot.SHL_RI: {
        const a = r32[insn.destination];
        const result = a << insn.immediate;
        const carry = a << (insn.immediate - 1);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries(carry, result ^ carry);
        r32[insn.destination] = result;
        break;
      }
      case hot.SHR_RI: {
        const a = r32[insn.destination];
        const result = (a >>> insn.immediate) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >>> (insn.immediate - 1)) << 31, result ^ (result << 1));
        r32[insn.destination] = result;
        break;
      }
      case hot.SAR_RI: {
        const a = r32[insn.destination];
        const result = a >> insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >> (insn.immediate - 1)) << 31, 0);
        r32[insn.destination] = result;
        break;
      }
      case hot.SHL_RC: {
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
      case hot.SHR_RC: {
        const count = r32[ECX] & 31;
        if (count === 0) break;
        const a = r32[insn.destination];
        const result = (a >>> count) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >>> (count - 1)) << 31, result ^ (result << 1));
        r32[insn.destination] = result;
        break;
      }
      case hot.SAR_RC: {
        const count = r32[ECX] & 31;
        if (count === 0) break;
        const a = r32[insn.destination];
        const result = a >> count;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >> (count - 1)) << 31, 0);
        r32[insn.destination] = result;
        break;
      }
      case hot.ROL_RI: {
        const a = r32[insn.destination];
        const result = (a << insn.immediate) | (a >>> (32 - insn.immediate));
        r32[FLAG_CARRIES] = rotateCarries(r32[FLAG_CARRIES], result << 31, result ^ (result << 31));
        r32[insn.destination] = result;
        break;
      }
      case hot.ROR_RI: {
        const a = r32[insn.destination];
        const result = (a >>> insn.immediate) | (a << (32 - insn.immediate));
        r32[FLAG_CARRIES] = rotateCarries(r32[FLAG_CARRIES], result, result ^ (result << 1));
        r32[insn.destination] = result;
        break;
      }
      case hot.SHLD_RRI: {
        const a = r32[insn.destination];
        const result = (a << insn.immediate) | (r32[insn.source] >>> (32 - insn.immediate));
        const carry = a << (insn.immediate - 1);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries(carry, result ^ carry);
        r32[insn.destination] = result;
        break;
      }
      case hot.SHRD_RRI: {
        const a = r32[insn.destination];
        const result = (a >>> insn.immediate) | (r32[insn.source] << (32 - insn.immediate));
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = shiftCarries((a >>> (insn.immediate - 1)) << 31, result ^ (result << 1));
        r32[insn.destination] = result;
        break;
      }

      case hot.IMUL_RR: {
        const a = r32[insn.destination];
        const b = r32[insn.source];
        const result = Math.imul(a, b);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = a * b === result ? 0 : CARRY;
        r32[insn.destination] = result;
        break;
      }
      case hot.IMUL_RRI: {
        const a = r32[insn.source];
        const b = insn.immediate;
        const result = Math.imul(a, b);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = a * b === result ? 0 : CARRY;
        r32[insn.destination] = result;
        break;
      }
      case hot.MUL_R: {
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
      case hot.IMUL_R: {
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
      case hot.LEA:
        r32[insn.destination] = r32[insn.base] + (r32[insn.index] << insn.scale) + insn.displacement;
        break;
      case hot.XCHG_RR: {
        const a = r32[insn.destination];
        r32[insn.destination] = r32[insn.source];
        r32[insn.source] = a;
        break;
      }
      case hot.CDQ:
        r32[EDX] = r32[EAX] >> 31;
        break;
      case hot.MOVZX_RR8:
        r32[insn.destination] = r8[insn.source];
        break;
      case hot.MOVZX_RR16:
        r32[insn.destination] = r16[insn.source];
        break;
      case hot.MOVSX_RR8:
        r32[insn.destination] = (r8[insn.source] << 24) >> 24;
        break;
      case hot.MOVSX_RR16:
        r32[insn.destination] = (r16[insn.source] << 16) >> 16;
        break;
      case hot.MOV_R8R8:
        r8[insn.destination] = r8[insn.source];
        break;
      case hot.MOV_R8I:
        r8[insn.destination] = insn.immediate;
        break;
      case hot.BSWAP_R: {
        const a = r32[insn.destination];
        r32[insn.destination] = (a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24);
        break;
      }
      case hot.NOP:
        break;
      case hot.SETCC_R8:
        r8[insn.destination] = condition(r32, insn.opcode & 0xf) ? 1 : 0;
        break;
      case hot.CMOVCC_RR:
        if (condition(r32, insn.opcode & 0xf)) r32[insn.destination] = r32[insn.source];
        break;
      case hot.CMP_R8I: {
        const a = r8[insn.destination] << 24;
        const b = insn.immediate << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case hot.CMP_R8R8: {
        const a = r8[insn.destination] << 24;
        const b = r8[insn.source] << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case hot.TEST_R8R8: {
        const result = (r8[insn.destination] & r8[insn.source]) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case hot.TEST_R8I: {
        const result = (r8[insn.destination] & insn.immediate) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case hot.AND_R8I: {
        const result = (r8[insn.destination] & insn.immediate) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        r8[insn.destination] = result >> 24;
        break;
      }
      case hot.ADD_R8R8: {
        const a = r8[insn.destination] << 24;
        const b = r8[insn.source] << 24;
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (a & b) | ((a | b) & ~result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        r8[insn.destination] = result >> 24;
        break;
      }
      case hot.SUB_R8I: {
        const a = r8[insn.destination] << 24;
        const b = insn.immediate << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        r8[insn.destination] = result >> 24;
        break;
      }
      case hot.XOR_R8R8: {
        const result = (r8[insn.destination] ^ r8[insn.source]) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        r8[insn.destination] = result >> 24;
        break;
      }

      // Jumps inside the page.
      case hot.JMP:
        insn = insn.target;
        continue;
      case hot.LOOP:
        r32[ECX]--;
        insn = r32[ECX] !== 0 ? insn.target : insn.next;
        continue;
      case hot.JCC: {
        const carries = r32[FLAG_CARRIES];
        insn = (carries ^ (carries << 1)) < 0 ? insn.target : insn.next;
        continue;
      }
      case hot.JCC + 1: {
        const carries = r32[FLAG_CARRIES];
        insn = (carries ^ (carries << 1)) >= 0 ? insn.target : insn.next;
        continue;
      }
      case hot.JCC + 2:
        insn = r32[FLAG_CARRIES] < 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 3:
        insn = r32[FLAG_CARRIES] >= 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 4:
        insn = r32[FLAG_RESULT] === 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 5:
        insn = r32[FLAG_RESULT] !== 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 6:
        insn = r32[FLAG_CARRIES] < 0 || r32[FLAG_RESULT] === 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 7:
        insn = r32[FLAG_CARRIES] >= 0 && r32[FLAG_RESULT] !== 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 8:
        insn = (r32[FLAG_RESULT] ^ (r32[FLAG_CARRIES] << 31)) < 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 9:
        insn = (r32[FLAG_RESULT] ^ (r32[FLAG_CARRIES] << 31)) >= 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 10:
        insn = parityFlag(r32) ? insn.target : insn.next;
        continue;
      case hot.JCC + 11:
        insn = parityFlag(r32) ? insn.next : insn.target;
        continue;
      case hot.JCC + 12:
        insn = signOverOverflow(r32[FLAG_RESULT], r32[FLAG_CARRIES]) < 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 13:
        insn = signOverOverflow(r32[FLAG_RESULT], r32[FLAG_CARRIES]) >= 0 ? insn.target : insn.next;
        continue;
      case hot.JCC + 14: {
        const result = r32[FLAG_RESULT];
        insn = result === 0 || signOverOverflow(result, r32[FLAG_CARRIES]) < 0 ? insn.target : insn.next;
        continue;
      }
      case hot.JCC + 15: {
        const result = r32[FLAG_RESULT];
        insn = result !== 0 && signOverOverflow(result, r32[FLAG_CARRIES]) >= 0 ? insn.target : insn.next;
        continue;
      }
      case hot.JMP_R: {
        const place = (r32[insn.source] - eipBase) | 0;
        if (place >>> 0 < PAGE_SIZE) insn = insn.page!.at(place);
        else {
          r32[EIP] = r32[insn.source];
          r32[BUDGET] = remaining;
          insn = cpu.fetch();
          eipBase = (r32[EIP] - insn.offset) | 0;
        }
        continue;
      }

      // Memory operands: at `host`.
      case hot.MOV_RM:
        r32[insn.destination] = view.getInt32(host, true);
        break;
      case hot.MOV_MR:
        view.setInt32(host, r32[insn.source], true);
        break;
      case hot.MOV_MI:
        view.setInt32(host, insn.immediate, true);
        break;
      case hot.MOV_R8M:
        r8[insn.destination] = bytes[host];
        break;
      case hot.MOV_MR8:
        bytes[host] = r8[insn.source];
        break;
      case hot.MOV_M8I:
        bytes[host] = insn.immediate;
        break;
      case hot.MOV_R16M:
        r16[insn.destination] = view.getUint16(host, true);
        break;
      case hot.MOV_MR16:
        view.setUint16(host, r16[insn.source], true);
        break;
      case hot.MOVZX_RM8:
        r32[insn.destination] = bytes[host];
        break;
      case hot.MOVZX_RM16:
        r32[insn.destination] = view.getUint16(host, true);
        break;
      case hot.MOVSX_RM8:
        r32[insn.destination] = (bytes[host] << 24) >> 24;
        break;
      case hot.MOVSX_RM16:
        r32[insn.destination] = view.getInt16(host, true);
        break;
      case hot.ADD_RM: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.ADC_RM: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.SUB_RM: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.SBB_RM: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a - b - (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        r32[insn.destination] = result;
        break;
      }
      case hot.CMP_RM: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case hot.AND_RM: {
        const result = r32[insn.destination] & view.getInt32(host, true);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case hot.OR_RM: {
        const result = r32[insn.destination] | view.getInt32(host, true);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case hot.XOR_RM: {
        const result = r32[insn.destination] ^ view.getInt32(host, true);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        r32[insn.destination] = result;
        break;
      }
      case hot.CMP_MR: {
        const a = view.getInt32(host, true);
        const b = r32[insn.source];
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case hot.CMP_MI: {
        const a = view.getInt32(host, true);
        const b = insn.immediate;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        break;
      }
      case hot.TEST_MR: {
        const result = view.getInt32(host, true) & r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case hot.TEST_MI: {
        const result = view.getInt32(host, true) & insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case hot.CMP_M8I: {
        const a = bytes[host] << 24;
        const b = insn.immediate << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case hot.CMP_R8M: {
        const a = r8[insn.destination] << 24;
        const b = bytes[host] << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case hot.CMP_M8R8: {
        const a = bytes[host] << 24;
        const b = r8[insn.source] << 24;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result >> 24;
        const carries = (~a & b) | (~(a ^ b) & result);
        r32[FLAG_CARRIES] = (carries & CARRY_AND_SIGN) | ((carries >>> 24) & HALF_CARRY);
        break;
      }
      case hot.TEST_M8I: {
        const result = (bytes[host] & insn.immediate) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        break;
      }
      case hot.XOR_R8M: {
        const result = (r8[insn.destination] ^ bytes[host]) << 24;
        r32[FLAG_RESULT] = result >> 24;
        r32[FLAG_CARRIES] = 0;
        r8[insn.destination] = result >> 24;
        break;
      }
      case hot.ADD_MR: {
        const a = view.getInt32(host, true);
        const b = r32[insn.source];
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case hot.ADD_MI: {
        const a = view.getInt32(host, true);
        const b = insn.immediate;
        const result = (a + b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case hot.ADC_MR: {
        const a = view.getInt32(host, true);
        const b = r32[insn.source];
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case hot.ADC_MI: {
        const a = view.getInt32(host, true);
        const b = insn.immediate;
        const result = (a + b + (r32[FLAG_CARRIES] >>> 31)) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((a & b) | ((a | b) & ~result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case hot.SUB_MR: {
        const a = view.getInt32(host, true);
        const b = r32[insn.source];
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case hot.SUB_MI: {
        const a = view.getInt32(host, true);
        const b = insn.immediate;
        const result = (a - b) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = ((~a & b) | (~(a ^ b) & result)) & CARRIES;
        view.setInt32(host, result, true);
        break;
      }
      case hot.AND_MR: {
        const result = view.getInt32(host, true) & r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case hot.AND_MI: {
        const result = view.getInt32(host, true) & insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case hot.OR_MR: {
        const result = view.getInt32(host, true) | r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case hot.OR_MI: {
        const result = view.getInt32(host, true) | insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case hot.XOR_MR: {
        const result = view.getInt32(host, true) ^ r32[insn.source];
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case hot.XOR_MI: {
        const result = view.getInt32(host, true) ^ insn.immediate;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = 0;
        view.setInt32(host, result, true);
        break;
      }
      case hot.IMUL_RM: {
        const a = r32[insn.destination];
        const b = view.getInt32(host, true);
        const result = Math.imul(a, b);
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = a * b === result ? 0 : CARRY;
        r32[insn.destination] = result;
        break;
      }
      case hot.MUL_M: {
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
      case hot.INC_M: {
        const a = view.getInt32(host, true);
        const result = (a + 1) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = keepCarry(r32[FLAG_CARRIES], a & ~result);
        view.setInt32(host, result, true);
        break;
      }
      case hot.DEC_M: {
        const a = view.getInt32(host, true);
        const result = (a - 1) | 0;
        r32[FLAG_RESULT] = result;
        r32[FLAG_CARRIES] = keepCarry(r32[FLAG_CARRIES], ~a & result);
        view.setInt32(host, result, true);
        break;
      }

      // The stack: the memory operand is its top, before a push 4 bytes below.
      case hot.PUSH_R:
        view.setInt32(host, r32[insn.source], true);
        r32[ESP] -= 4;
        break;
      case hot.PUSH_I:
        view.setInt32(host, insn.immediate, true);
        r32[ESP] -= 4;
        break;
      case hot.POP_R: {
        const value = view.getInt32(host, true);
        r32[ESP] += 4;
        r32[insn.destination] = value;
        break;
      }
      case hot.CALL:
        view.setInt32(host, eipBase + insn.offset + insn.length, true);
        r32[ESP] -= 4;
        insn = insn.target;
        continue;
      case hot.CALL_FAR_PAGE: {
        const after = (eipBase + insn.offset + insn.length) | 0;
        view.setInt32(host, after, true);
        r32[ESP] -= 4;
        r32[EIP] = after + insn.immediate;
        r32[BUDGET] = remaining;
        insn = cpu.fetch();
        eipBase = (r32[EIP] - insn.offset) | 0;
        continue;
      }
      case hot.CALL_R: {
        r32[EIP] = r32[insn.source];
        view.setInt32(host, eipBase + insn.offset + insn.length, true);
        r32[ESP] -= 4;
        r32[BUDGET] = remaining;
        insn = cpu.fetch();
        eipBase = (r32[EIP] - insn.offset) | 0;
        continue;
      }
      case hot.RET: {
        const eip = view.getInt32(host, true);
        r32[ESP] += 4 + insn.immediate;
        const place = (eip - eipBase) | 0;
        if (place >>> 0 < PAGE_SIZE) insn = insn.page!.at(place);
        else {
          r32[EIP] = eip;
          r32[BUDGET] = remaining;
          insn = cpu.fetch();
          eipBase = (r32[EIP] - insn.offset) | 0;
        }
        continue;
      }
      case hot.LEAVE: {
        const value = view.getInt32(host, true);
        r32[ESP] = r32[EBP] + 4;
        r32[EBP] = value;
        break;
      }
      case hot.JMP_M: {
        const eip = view.getInt32(host, true);
        const place = (eip - eipBase) | 0;
        if (place >>> 0 < PAGE_SIZE) insn = insn.page!.at(place);
        else {
          r32[EIP] = eip;
          r32[BUDGET] = remaining;
          insn = cpu.fetch();
          eipBase = (r32[EIP] - insn.offset) | 0;
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

/** Carries of INC and DEC: OF and AF from `carries`, CF as it was. */
function keepCarry(before: number, carries: number): number {
  return (
    (before & CARRY) |
    (((before >>> 1) ^ (carries >>> 1) ^ carries) & CARRY_INTO_SIGN) |
    (carries & HALF_CARRY)
  );
}

/** The sign of `carry` is CF, the sign of `overflow` is OF. */
function shiftCarries(carry: number, overflow: number): number {
  return (carry & CARRY) | (((carry ^ overflow) >>> 1) & CARRY_INTO_SIGN);
}

/** Rotates change CF and OF alone. */
function rotateCarries(before: number, carry: number, overflow: number): number {
  return (before & ~CARRY_AND_SIGN) | shiftCarries(carry, overflow);
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
