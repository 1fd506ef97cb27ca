/**
 * ModRM and SIB: how an instruction names a register or a place in memory.
 *
 *     ModRM   mod:2  reg:3  rm:3          SIB   scale:2  index:3  base:3
 *
 * `reg` names one operand. `mod` and `rm` name the other: mod 3 is register `rm`; otherwise it is memory at
 * base + index * 2^scale + displacement, where mod says how many bytes of displacement follow.
 *
 * Source: SDM vol. 2, 2.1.5, tables 2-1 (16-bit), 2-2 (32-bit) and 2-3 (SIB).
 */
import { EBP, EBX, EDI, ESI, ESP, ZERO } from "./registers.ts";

/** The bytes of an instruction, taken one after the other. */
export interface InstructionBytes {
  next8(): number;
  next16(): number;
  next32(): number;
}

// #region address-form
/** A memory operand. Registers are indices into the register file, or ZERO for none. */
export interface AddressForm {
  base: number;
  index: number;
  scale: number;
  displacement: number;
  /** Its base is BP, EBP or ESP: without an override the segment is SS, not DS. */
  usesStack: boolean;
}
// #endregion address-form

// #region forms-16
/**
 * Base and index of the eight 16-bit forms:
 * [BX+SI] [BX+DI] [BP+SI] [BP+DI] [SI] [DI] [BP] [BX].
 */
export const BASE_16 = [EBX, EBX, EBP, EBP, ESI, EDI, EBP, EBX];
export const INDEX_16 = [ESI, EDI, ESI, EDI, ZERO, ZERO, ZERO, ZERO];
// #endregion forms-16

// #region modrm-16
/** Reads what follows a ModRM byte that names memory, with 16-bit addresses. */
export function readAddress16(bytes: InstructionBytes, modrm: number, address: AddressForm): void {
  // #region exercise-modrm-16
  const mod = modrm >> 6;
  const rm = modrm & 7;
  const isDirect = mod === 0 && rm === 6;
  address.base = isDirect ? ZERO : BASE_16[rm];
  address.index = INDEX_16[rm];
  address.scale = 0;
  address.usesStack = address.base === EBP;
  if (mod === 2 || isDirect) address.displacement = bytes.next16();
  else address.displacement = mod === 1 ? (bytes.next8() << 24) >> 24 : 0;
  // #endregion exercise-modrm-16
}
// #endregion modrm-16

// #region modrm-32
/** Reads what follows a ModRM byte that names memory, with 32-bit addresses: SIB and displacement. */
export function readAddress32(bytes: InstructionBytes, modrm: number, address: AddressForm): void {
  address.index = ZERO;
  address.scale = 0;
  // #region exercise-modrm-32
  const mod = modrm >> 6;
  let base = modrm & 7;
  if (base === 4) {
    const sib = bytes.next8();
    const index = (sib >> 3) & 7;
    if (index !== 4) {
      address.index = index * 2;
      address.scale = sib >> 6;
    }
    base = sib & 7;
  }
  const isDirect = mod === 0 && base === 5;
  address.base = isDirect ? ZERO : base * 2;
  address.usesStack = address.base === ESP || address.base === EBP;
  if (mod === 2 || isDirect) address.displacement = bytes.next32();
  else address.displacement = mod === 1 ? (bytes.next8() << 24) >> 24 : 0;
  // #endregion exercise-modrm-32
}
// #endregion modrm-32

// #region effective-address
/** The offset that a memory operand has now. `mask` is 0xffff for 16-bit addresses and -1 for 32-bit. */
export function effectiveAddress(
  r: Int32Array,
  address: Readonly<Omit<AddressForm, "usesStack">>,
  mask: number,
): number {
  // #region exercise-effective-address
  return (r[address.base] + (r[address.index] << address.scale) + address.displacement) & mask;
  // #endregion exercise-effective-address
}
// #endregion effective-address
