/**
 * The hot forms: what the interpreter executes in its own switch, with 32-bit operands in flat segments.
 *
 * A form is an instruction with its kinds of operands: `R` register, `I` immediate, `M` memory.
 * GENERAL and everything that the decoder finds no form for goes through `Instruction.execute`.
 */

// Not instructions: what stands at a place in a page of code.
/** Nothing yet, or no longer: fetch and decode. Also the place after a page's last byte. */
export const UNDECODED = 0;
export const GENERAL = 1;
/** After it, execution goes on wherever EIP says. */
export const GENERAL_ENDS = 2;
/** As GENERAL_ENDS, in a page that is only partly inside the code segment. */
export const CAREFUL = 63;

// Registers and immediates.
export const MOV_RR = 3;
export const MOV_RI = 4;
export const ADD_RR = 5;
export const ADD_RI = 6;
export const ADC_RR = 7;
export const ADC_RI = 8;
export const SUB_RR = 9;
export const SUB_RI = 10;
export const SBB_RR = 11;
export const SBB_RI = 12;
export const CMP_RR = 13;
export const CMP_RI = 14;
export const AND_RR = 15;
export const AND_RI = 16;
export const OR_RR = 17;
export const OR_RI = 18;
export const XOR_RR = 19;
export const XOR_RI = 20;
export const TEST_RR = 21;
export const TEST_RI = 22;
export const INC_R = 23;
export const DEC_R = 24;
export const NEG_R = 25;
export const NOT_R = 26;
export const SHL_RI = 27;
export const SHR_RI = 28;
export const SAR_RI = 29;
export const ROL_RI = 30;
export const ROR_RI = 31;
export const SHL_RC = 32;
export const SHR_RC = 33;
export const SAR_RC = 34;
export const SHLD_RRI = 35;
export const SHRD_RRI = 36;
export const IMUL_RR = 37;
export const IMUL_RRI = 38;
export const MUL_R = 39;
export const IMUL_R = 40;
/** Has a memory operand, but does not touch it. */
export const LEA = 41;
export const XCHG_RR = 42;
export const CDQ = 43;
export const MOVZX_RR8 = 44;
export const MOVZX_RR16 = 45;
export const MOVSX_RR8 = 46;
export const MOVSX_RR16 = 47;
export const MOV_R8R8 = 48;
export const MOV_R8I = 49;
export const CMP_R8I = 50;
export const CMP_R8R8 = 51;
export const TEST_R8R8 = 52;
export const TEST_R8I = 53;
export const AND_R8I = 54;
export const ADD_R8R8 = 55;
export const SUB_R8I = 56;
export const XOR_R8R8 = 57;
export const BSWAP_R = 58;
export const NOP = 59;
export const SETCC_R8 = 60;
export const CMOVCC_RR = 61;

// Jumps to a place in the same page.
export const JMP = 64;
export const LOOP = 65;
/** JO, JNO, JB, … JG: the condition is added. */
export const JCC = 66;
export const JMP_R = 82;

/** From here on the form has a memory operand, and the loop finds it before the switch. */
export const FIRST_MEMORY = 90;
export const MOV_RM = 90;
export const MOV_MR = 91;
export const MOV_MI = 92;
export const MOV_R8M = 93;
export const MOV_MR8 = 94;
export const MOV_M8I = 95;
export const MOV_R16M = 96;
export const MOV_MR16 = 97;
export const MOVZX_RM8 = 98;
export const MOVZX_RM16 = 99;
export const MOVSX_RM8 = 100;
export const MOVSX_RM16 = 101;
export const ADD_RM = 102;
export const ADC_RM = 103;
export const SUB_RM = 104;
export const SBB_RM = 105;
export const CMP_RM = 106;
export const AND_RM = 107;
export const OR_RM = 108;
export const XOR_RM = 109;
export const IMUL_RM = 110;
export const CMP_MR = 111;
export const CMP_MI = 112;
export const TEST_MR = 113;
export const TEST_MI = 114;
export const CMP_M8I = 115;
export const CMP_R8M = 116;
export const CMP_M8R8 = 117;
export const TEST_M8I = 118;
export const XOR_R8M = 119;
export const ADD_MR = 120;
export const ADD_MI = 121;
export const ADC_MR = 122;
export const ADC_MI = 123;
export const SUB_MR = 124;
export const SUB_MI = 125;
export const AND_MR = 126;
export const AND_MI = 127;
export const OR_MR = 128;
export const OR_MI = 129;
export const XOR_MR = 130;
export const XOR_MI = 131;
export const INC_M = 132;
export const DEC_M = 133;
export const PUSH_R = 134;
export const PUSH_I = 135;
export const POP_R = 136;
/** CALL to a place in the same page, to another page, and through a register. */
export const CALL = 137;
export const CALL_FAR_PAGE = 138;
export const CALL_R = 139;
export const RET = 140;
export const LEAVE = 142;
export const JMP_M = 143;
export const MUL_M = 144;
