import { afterAll, describe, expect, it } from "vitest";
import { openSoft } from "../../kvm/soft/soft.ts";
import { CR0_EM, CR0_MP, CR0_NE, CR0_TS, CR4_OSFXSR, CR4_OSXMMEXCPT } from "../state.ts";

const NONE = -1;
const UD = 6;
const NM = 7;
const GP = 13;
const MF = 16;
const XM = 19;

const CODE = 0x1000;
const HANDLERS = 0x600;
const DATA = 0x2000;

const hypervisor = openSoft();
const host = hypervisor.allocateMemory(1 << 16);
const ram = new Uint8Array(host.memory.buffer, host.offset, host.size);
afterAll(() => hypervisor.close());

/** Runs code in real mode; returns the vector it ended with, whose handler is a HLT of its own. */
function vectorOf(code: readonly number[], cr0: number, cr4: number): number {
  ram.fill(0);
  for (let vector = 0; vector < 32; vector++) {
    ram.set([vector, HANDLERS >> 8, 0, 0], 4 * vector);
    ram[HANDLERS + vector] = 0xf4;
  }
  ram.set([...code, 0xf4], CODE);
  const vm = hypervisor.createVm();
  vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: ram.length, host, hostOffset: 0 });
  const vcpu = vm.createVcpu(0);
  const sregs = vcpu.getSregs();
  for (const name of ["cs", "ds", "es", "ss"] as const) {
    sregs[name].selector = 0;
    sregs[name].base = 0n;
  }
  sregs.cr0 = (sregs.cr0 & ~0x2en) | BigInt(cr0);
  sregs.cr4 = BigInt(cr4);
  vcpu.setSregs(sregs);
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(CODE), rsp: 0x8000n, rbx: BigInt(DATA), rflags: 2n });
  const exit = vcpu.run({ instructions: 100 });
  expect(exit.reason).toBe("HLT");
  const rip = Number(vcpu.getRegs().rip) - 1;
  vm.close();
  return rip >= HANDLERS && rip < HANDLERS + 32 ? rip - HANDLERS : NONE;
}

const FLD1 = [0xd9, 0xe8];
const FWAIT = [0x9b];
const PAND = [0x0f, 0xdb, 0xc1];
const ADDPS = [0x0f, 0x58, 0xc1];
const MOVAPS_UNALIGNED = [0x0f, 0x28, 0x47, 0x01]; // [bx+1]
const MOVUPS_UNALIGNED = [0x0f, 0x10, 0x47, 0x01];
const FXSAVE_UNALIGNED = [0x0f, 0xae, 0x47, 0x08];
/** FNINIT, unmask division by zero, 1 / 0, and an instruction that waits. */
const DIVIDES_BY_ZERO = [0xdb, 0xe3, 0xc7, 0x07, 0x7b, 0x03, 0xd9, 0x2f, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9];
/** Unmask everything in MXCSR and divide zero by zero. */
const DIVIDES_SSE = [0x66, 0xc7, 0x07, 0, 0, 0, 0, 0x0f, 0xae, 0x17, 0x0f, 0x57, 0xc0, 0x0f, 0x5e, 0xc0];
const LDMXCSR_RESERVED = [0x66, 0xc7, 0x07, 0, 0, 1, 0, 0x0f, 0xae, 0x17];
const SSE = CR4_OSFXSR | CR4_OSXMMEXCPT;

const CASES: readonly [what: string, code: readonly number[], cr0: number, cr4: number, vector: number][] = [
  ["x87 with EM", FLD1, CR0_EM, SSE, NM],
  ["x87 with TS", FLD1, CR0_TS, SSE, NM],
  ["x87 with neither", FLD1, CR0_NE, SSE, NONE],
  ["FWAIT with TS alone", FWAIT, CR0_TS, SSE, NONE],
  ["FWAIT with TS and MP", FWAIT, CR0_TS | CR0_MP, SSE, NM],
  ["FWAIT with EM", FWAIT, CR0_EM, SSE, NONE],
  ["MMX with EM", PAND, CR0_EM, SSE, UD],
  ["MMX with TS", PAND, CR0_TS, SSE, NM],
  ["MMX without OSFXSR", PAND, CR0_NE, 0, NONE],
  ["SSE with EM", ADDPS, CR0_EM, SSE, UD],
  ["SSE with TS", ADDPS, CR0_TS, SSE, NM],
  ["SSE without OSFXSR", ADDPS, CR0_NE, 0, UD],
  ["SSE without OSFXSR and with TS", ADDPS, CR0_TS, 0, UD],
  ["MOVAPS at an odd address", MOVAPS_UNALIGNED, CR0_NE, SSE, GP],
  ["MOVUPS at an odd address", MOVUPS_UNALIGNED, CR0_NE, SSE, NONE],
  ["FXSAVE at a multiple of 8", FXSAVE_UNALIGNED, CR0_NE, SSE, GP],
  ["LDMXCSR of a reserved bit", LDMXCSR_RESERVED, CR0_NE, SSE, GP],
  ["1 / 0 unmasked, nobody waits", DIVIDES_BY_ZERO, CR0_NE, SSE, NONE],
  ["1 / 0 unmasked, then FWAIT", [...DIVIDES_BY_ZERO, ...FWAIT], CR0_NE, SSE, MF],
  ["1 / 0 unmasked, then FLD1", [...DIVIDES_BY_ZERO, ...FLD1], CR0_NE, SSE, MF],
  ["1 / 0 unmasked, then MMX", [...DIVIDES_BY_ZERO, ...PAND], CR0_NE, SSE, MF],
  ["1 / 0 unmasked, then FNCLEX and FWAIT", [...DIVIDES_BY_ZERO, 0xdb, 0xe2, ...FWAIT], CR0_NE, SSE, NONE],
  ["1 / 0 unmasked without NE, then FWAIT", [...DIVIDES_BY_ZERO, ...FWAIT], 0, SSE, NONE],
  ["0 / 0 of SSE unmasked", DIVIDES_SSE, CR0_NE, SSE, XM],
  ["0 / 0 of SSE unmasked without OSXMMEXCPT", DIVIDES_SSE, CR0_NE, CR4_OSFXSR, UD],
  ["FISTTP, which came with SSE3", [0xdb, 0x0f], CR0_NE, SSE, UD],
];

describe("which exception x87, MMX and SSE raise by CR0 and CR4", () => {
  it.each(CASES)("%s", (_what, code, cr0, cr4, vector) => {
    expect(vectorOf(code, cr0, cr4)).toBe(vector);
  });
});
