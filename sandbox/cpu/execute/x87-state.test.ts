import { afterAll, describe, expect, it } from "vitest";
import { openSoft } from "../../kvm/soft/soft.ts";
import { CR0_NE, CR0_PE, CR4_OSFXSR } from "../state.ts";

const CODE = 0x1000;
const IMAGE = 0x2000;

const hypervisor = openSoft();
const host = hypervisor.allocateMemory(1 << 16);
const ram = new Uint8Array(host.memory.buffer, host.offset, host.size);
const view = new DataView(host.memory.buffer, host.offset, host.size);
afterAll(() => hypervisor.close());

/** FNINIT, FLDPI, FLD1, then FADD m32 at [bx + 256]: something to remember. */
const PREPARE = [0xdb, 0xe3, 0xd9, 0xeb, 0xd9, 0xe8, 0xd8, 0x87, 0x00, 0x01];
/** Where the FADD is. */
const LAST = CODE + 6;

function run(mode: "real" | "protected", code: readonly number[]) {
  ram.fill(0);
  ram.set([...PREPARE, ...code, 0xf4], CODE);
  const vm = hypervisor.createVm();
  vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: ram.length, host, hostOffset: 0 });
  const vcpu = vm.createVcpu(0);
  const sregs = vcpu.getSregs();
  const isProtected = mode === "protected";
  for (const name of ["cs", "ds", "es", "ss"] as const) {
    // 16-bit segments in both modes, so that the same bytes are the same instructions.
    Object.assign(sregs[name], { selector: isProtected ? 8 : 0, base: 0n, limit: 0xffff, db: 0, g: 0 });
  }
  sregs.cr0 |= BigInt(CR0_NE | (isProtected ? CR0_PE : 0));
  sregs.cr4 = BigInt(CR4_OSFXSR);
  vcpu.setSregs(sregs);
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(CODE), rsp: 0x8000n, rbx: BigInt(IMAGE), rflags: 2n });
  expect(vcpu.run({ instructions: 100 }).reason).toBe("HLT");
  const fpu = vcpu.getFpu();
  vm.close();
  return fpu;
}

const FNSAVE_16 = [0xdd, 0x37];
const FNSAVE_32 = [0x66, 0xdd, 0x37];
const TOP_6 = 6 << 11;
/** R6 and R7 hold numbers, the rest is empty. */
const TAGS = 0x0fff;
const OPCODE = 0x087;
const ONE = [0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f];

const words = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => view.getUint16(from + 2 * i, true));
const doublewords = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => view.getUint32(from + 4 * i, true));

describe("the x87 state in memory (SDM vol. 1, figures 8-9 to 8-12)", () => {
  it("FNSAVE in protected mode with 16-bit operands", () => {
    run("protected", FNSAVE_16);
    expect(words(IMAGE, 7)).toEqual([0x37f, TOP_6, TAGS, LAST, 8, IMAGE + 256, 8]);
    expect([...ram.subarray(IMAGE + 14, IMAGE + 24)]).toEqual(ONE);
  });

  it("FNSAVE in protected mode with 32-bit operands", () => {
    run("protected", FNSAVE_32);
    const [control, status, tags, ip, cs, dp, ds] = doublewords(IMAGE, 7) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    expect([control & 0xffff, status & 0xffff, tags & 0xffff]).toEqual([0x37f, TOP_6, TAGS]);
    expect([ip, cs, dp, ds & 0xffff]).toEqual([LAST, 8 | (OPCODE << 16), IMAGE + 256, 8]);
    expect([...ram.subarray(IMAGE + 28, IMAGE + 38)]).toEqual(ONE);
  });

  it("FNSAVE in real mode with 16-bit operands: linear addresses of 20 bits, and the opcode", () => {
    run("real", FNSAVE_16);
    expect(words(IMAGE, 7)).toEqual([0x37f, TOP_6, TAGS, LAST, OPCODE, IMAGE + 256, 0]);
  });

  it("FNSAVE in real mode with 32-bit operands", () => {
    run("real", FNSAVE_32);
    const [, , , ip, opcode, dp, rest] = doublewords(IMAGE, 7) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    expect([ip & 0xffff, opcode, dp & 0xffff, rest]).toEqual([LAST, OPCODE, IMAGE + 256, 0]);
  });

  it.each([
    ["FNSAVE and FRSTOR, 16-bit", [...FNSAVE_16, 0xdd, 0x27]],
    ["FNSAVE and FRSTOR, 32-bit", [...FNSAVE_32, 0x66, 0xdd, 0x27]],
    ["FXSAVE, FNINIT and FXRSTOR", [0x0f, 0xae, 0x07, 0xdb, 0xe3, 0x0f, 0xae, 0x0f]],
  ])("%s bring everything back", (_what, code) => {
    for (const mode of ["real", "protected"] as const) {
      const before = run(mode, []);
      const after = run(mode, code);
      expect({ ...after, lastOpcode: 0 }).toEqual({ ...before, lastOpcode: 0 });
    }
  });

  it("FNSAVE leaves the unit initialized", () => {
    const fpu = run("real", FNSAVE_16);
    expect([fpu.fcw, fpu.fsw, fpu.ftwx]).toEqual([0x37f, 0, 0]);
  });

  it("FXSAVE in stack order, with the abridged tags and the mask of MXCSR", () => {
    run("protected", [0x0f, 0xae, 0x07]);
    expect(words(IMAGE, 4)).toEqual([0x37f, TOP_6, 0xc0, OPCODE]);
    expect(doublewords(IMAGE + 8, 6)).toEqual([LAST, 8, IMAGE + 256, 8, 0x1f80, 0xffff]);
    expect([...ram.subarray(IMAGE + 32, IMAGE + 42)]).toEqual(ONE);
    expect([...ram.subarray(IMAGE + 464, IMAGE + 512)].every(byte => byte === 0)).toBe(true);
  });

  it("MMX makes all registers valid and the top 0; EMMS empties them", () => {
    const used = run("real", [0x0f, 0xef, 0xc9]); // PXOR MM1,MM1
    expect([used.fsw & 0x3800, used.ftwx]).toEqual([0, 0xff]);
    expect([...used.fpr.subarray(16, 26)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
    expect(run("real", [0x0f, 0xef, 0xc9, 0x0f, 0x77]).ftwx).toBe(0);
  });
});
