import { describe, expect, it } from "vitest";
import { CODE_AT, testMachine } from "./test-machine.ts";

const MODES = ["flat", "paged", "real"] as const;

/** mov al,imm8 at `CODE_AT + 3`, after a jump to it; HLT follows. */
describe("self-modifying code", () => {
  it.each(["flat", "paged"] as const)("sees a change of the next instruction (%s)", mode => {
    // mov byte [CODE_AT + 8],0x77 · mov al,0x11 · hlt
    const machine = testMachine(mode, [0xc6, 0x05, 0x08, 0, 1, 0, 0x77, 0xb0, 0x11, 0xf4]);
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs().rax).toBe(0x77n);
  });

  it.each(["flat", "paged"] as const)("sees a change of a loop that was executed often (%s)", mode => {
    // mov ecx,1000 · l: add eax,1 (imm8 changed half way) · cmp ecx,500 · jne n · mov byte [..],2 · n: loop l · hlt
    const code = [
      0xb9, 0xe8, 3, 0, 0, 0x83, 0xc0, 0x01, 0x81, 0xf9, 0xf4, 1, 0, 0, 0x75, 0x07, 0xc6, 0x05, 0x07, 0, 1, 0,
      2, 0xe2, 0xec, 0xf4,
    ];
    const machine = testMachine(mode, code);
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs().rax).toBe(501n + 2n * 499n);
  });

  it.each(["flat", "paged"] as const)(
    "sees a constant that a loop writes into its next instruction (%s)",
    mode => {
      // mov ecx,1000 · l: mov [n+1],ecx · n: mov eax,imm32 · add ebx,eax · dec ecx · jnz l · hlt
      const code = [
        0xb9, 0xe8, 3, 0, 0, 0x89, 0x0d, 0x0c, 0, 1, 0, 0xb8, 0, 0, 0, 0, 0x01, 0xc3, 0x49, 0x75, 0xf0, 0xf4,
      ];
      const machine = testMachine(mode, code);
      expect(machine.run().reason).toBe("HLT");
      expect(machine.vcpu.getRegs().rbx).toBe(500_500n);
    },
  );

  it("sees a change by REP MOVSB over the place that it is copied to", () => {
    // mov esi · mov edi,behind · mov ecx,2 · rep movsb · behind: mov al,1 → nop nop · hlt
    const code = [
      0xbe, 0, 0, 2, 0, 0xbf, 0x16, 0, 1, 0, 0xb9, 2, 0, 0, 0, 0xf3, 0xa4, 0xeb, 3, 0xb0, 1, 0xf4, 0xb0, 1,
      0xf4,
    ];
    const machine = testMachine("flat", code);
    machine.memory.set([0xb0, 0x55], 0x2_0000);
    // Once to have it decoded, and once more.
    machine.vcpu.setRegs({ ...machine.vcpu.getRegs(), rip: BigInt(CODE_AT + 0x16) });
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs().rax).toBe(1n);
    machine.vcpu.setRegs({ ...machine.vcpu.getRegs(), rip: BigInt(CODE_AT) });
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs().rax).toBe(0x55n);
  });

  it.each(MODES)("sees what the VMM wrote, when told (%s)", mode => {
    const machine = testMachine(mode, [0xb0, 1, 0xf4]);
    machine.run();
    machine.memory[CODE_AT + 1] = 9;
    machine.vm.memoryWritten(CODE_AT, 3);
    machine.vcpu.setRegs({ ...machine.vcpu.getRegs(), rip: mode === "real" ? 0n : BigInt(CODE_AT) });
    machine.run();
    expect(machine.vcpu.getRegs().rax).toBe(9n);
  });

  it("sees a change of either half of an instruction that crosses a page, and executed often before", () => {
    // At the end of a page: mov eax,imm32, two bytes of it in the next page; hlt.
    const start = CODE_AT + 0xffd;
    const machine = testMachine("flat", [], { rip: BigInt(start) });
    machine.memory.set([0xb8, 0x44, 0x33, 0x22, 0x11, 0xf4], start);
    const run = () => {
      machine.vcpu.setRegs({ ...machine.vcpu.getRegs(), rip: BigInt(start) });
      expect(machine.run().reason).toBe("HLT");
      return machine.vcpu.getRegs().rax;
    };
    const change = (address: number, value: number) => {
      machine.memory[address] = value;
      machine.vm.memoryWritten(address, 1);
    };
    for (let time = 0; time < 3; time++) expect(run()).toBe(0x1122_3344n);
    change(CODE_AT + 0x1001, 0x99);
    for (let time = 0; time < 3; time++) expect(run()).toBe(0x9922_3344n);
    change(start + 1, 0x55);
    for (let time = 0; time < 3; time++) expect(run()).toBe(0x9922_3355n);
    change(start, 0x05); // add eax,imm32
    expect(run()).toBe((0x9922_3355n * 2n) & 0xffff_ffffn);
  });

  it("sees another second half behind the same address after a change of the page tables", () => {
    // mov eax,imm32 over the end of 0x4f000's page into 0x50000's, and ret; called before and after:
    // call · mov ebx,eax · mov dword [PTE of 0x50000],0x61007 · invlpg [0x50000] · call · hlt
    const code = [
      0xe8, 0xf8, 0xff, 3, 0, 0x89, 0xc3, 0xc7, 0x05, 0x40, 0x11, 0x0a, 0, 0x07, 0x10, 6, 0, 0x0f, 0x01, 0x3d,
      0, 0, 5, 0, 0xe8, 0xe0, 0xff, 3, 0, 0xf4,
    ];
    const machine = testMachine("paged", code);
    machine.memory.set([0xb8, 0x44, 0x33, 0x22, 0x11, 0xc3], 0x4_fffd);
    machine.memory.set([0x66, 0x55, 0xc3], 0x6_1000);
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs()).toMatchObject({ rbx: 0x1122_3344n, rax: 0x5566_3344n });
  });

  it("sees another page behind the same address after a change of the page tables", () => {
    // mov dword [PTE of 0x50000],0x61007 · invlpg [0x50000] · call 0x50000 · hlt
    const code = [
      0xe8, 0xfb, 0xff, 3, 0, 0x88, 0xc3, 0xc7, 0x05, 0x40, 0x11, 0x0a, 0, 0x07, 0x10, 6, 0, 0x0f, 0x01, 0x3d,
      0, 0, 5, 0, 0xe8, 0xe3, 0xff, 3, 0, 0xf4,
    ];
    const machine = testMachine("paged", code);
    machine.memory.set([0xb0, 1, 0xc3], 0x5_0000);
    machine.memory.set([0xb0, 2, 0xc3], 0x6_1000);
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs()).toMatchObject({ rbx: 1n, rax: 2n });
  });

  it("stays right when data and code share a page and the data is written for ever", () => {
    // l: inc dword [CODE_AT + 0x800] · cmp dword [..],5000 · jne l · hlt
    const code = [0xff, 0x05, 0, 8, 1, 0, 0x81, 0x3d, 0, 8, 1, 0, 0x88, 0x13, 0, 0, 0x75, 0xee, 0xf4];
    const machine = testMachine("flat", code);
    expect(machine.run().reason).toBe("HLT");
    expect(machine.view.getUint32(CODE_AT + 0x800, true)).toBe(5000);
  });
});
