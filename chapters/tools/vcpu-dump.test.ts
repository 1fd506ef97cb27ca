import { describe, expect, it } from "vitest";
import type { Regs, Segment, Sregs } from "../../sandbox/kvm/api.ts";
import { type VcpuState, vcpuDump } from "./vcpu-dump.ts";

function state(changes: Partial<Regs> = {}, special: Partial<Sregs> = {}): VcpuState {
  const names = "rax rbx rcx rdx rsi rdi rsp rbp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags".split(" ");
  const regs = { ...(Object.fromEntries(names.map(name => [name, 0n])) as unknown as Regs), ...changes };
  const table = { base: 0n, limit: 0 };
  const sregs: Sregs = {
    ...{
      cs: segment(0b1011),
      ds: segment(3),
      es: segment(3),
      ss: segment(3),
      fs: segment(3),
      gs: segment(3),
    },
    ...{ tr: segment(11), ldt: segment(2), gdt: table, idt: table },
    ...{ cr0: 0x10n, cr2: 0n, cr3: 0n, cr4: 0n, cr8: 0n, efer: 0n, apicBase: 0n },
    ...special,
  };
  return { regs, sregs };
}

function segment(type: number): Segment {
  const bits = { present: 1, dpl: 0, db: 0, s: 1, l: 0, g: 0, avl: 0, unusable: 0 };
  return { base: 0n, limit: 0xffff, selector: 0, type, ...bits };
}

describe("a vCPU dump", () => {
  it("has 32-bit names and values, flags by name, segments and control registers", () => {
    expect(
      vcpuDump(state({ rax: 0x1234_5678n, rip: 0x1000n, rflags: 0x202n }, { cr0: 0x8000_0011n })),
    ).toEqual([
      "eax 1234_5678   ebx 0000_0000   ecx 0000_0000   edx 0000_0000",
      "esi 0000_0000   edi 0000_0000   ebp 0000_0000   esp 0000_0000",
      "eip 0000_1000   eflags 0000_0202  if",
      "cs  0000  base 0000_0000  limit 0000_ffff  code 16-bit dpl 0",
      ...["ds", "es", "ss", "fs", "gs"].map(
        name => `${name}  0000  base 0000_0000  limit 0000_ffff  data 16-bit dpl 0`,
      ),
      "cr0 8000_0011  cr3 0000_0000  cr4 0000_0000  efer 0000_0000  pg pe",
    ]);
  });

  it("marks what changed, and nothing else", () => {
    const before = state({ rip: 0x1000n });
    const now = state({ rip: 0x1002n, rcx: 5n }, { ds: { ...segment(3), base: 0x10n }, cr3: 0x1000n });
    const marked = vcpuDump(now, before).flatMap(line =>
      [...line.matchAll(/(\w+) [0-9a-f_]+\*/g)].map(found => found[1]),
    );
    expect(marked).toEqual(["ecx", "eip", "cr3"]);
    expect(vcpuDump(now, before).find(line => line.startsWith("ds"))).toContain("0000*");
  });

  it("shows all sixteen registers in 64 bits in long mode", () => {
    const long = state({ r15: 0xffff_ffff_ffff_fff0n }, { cs: { ...segment(11), l: 1 }, efer: 1n << 10n });
    expect(vcpuDump(long).join("\n")).toContain("r15 ffff_ffff_ffff_fff0");
    expect(vcpuDump(long).join("\n")).toContain("rip 0000_0000_0000_0000");
  });
});
