import { describe, expect, it } from "vitest";
import { CODE_AT, fingerprint, testMachine } from "../../cpu/test-machine.ts";
import { openSoft } from "./soft.ts";

const DATA = 0x2_0000;

describe("port exits", () => {
  it("completes IN only when the next run begins", () => {
    // in al,0x60 · mov bl,al · hlt
    const machine = testMachine("flat", [0xe4, 0x60, 0x88, 0xc3, 0xf4]);
    const exit = machine.run();
    expect(exit).toMatchObject({ reason: "IO", direction: "in", port: 0x60, size: 1, count: 1 });
    if (exit.reason === "IO") exit.data[0] = 0x5a;
    machine.vcpu.completeExit();
    expect(machine.vcpu.getRegs()).toMatchObject({ rax: 0x5an, rbx: 0n, rip: BigInt(CODE_AT + 2) });
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs().rbx).toBe(0x5an);
  });

  it("brings REP OUTSB item by item and REP INSB in pieces of a page, as KVM's emulator does", () => {
    // rep outsb · rep insb with ecx = 3000 at the end of a page · hlt
    const code = [0xf3, 0x6e, 0xb9, 0xb8, 0x0b, 0, 0, 0xf3, 0x6c, 0xf4];
    const machine = testMachine("flat", code, { rcx: 2n, rdx: 0x3f8n, rsi: BigInt(DATA), rdi: 0x3_0ff0n });
    machine.memory.set([1, 2], DATA);
    const counts: string[] = [];
    for (;;) {
      const exit = machine.run();
      if (exit.reason !== "IO") break;
      counts.push(`${exit.direction} ${exit.count}`);
      if (exit.direction === "in") exit.data.fill(0x77, 0, exit.count);
      else expect(exit.data[0]).toBe(counts.length);
    }
    expect(counts).toEqual(["out 1", "out 1", "in 16", "in 1024", "in 1024", "in 936"]);
    expect(machine.vcpu.getRegs()).toMatchObject({ rcx: 0n, rdi: 0x3_0ff0n + 3000n, rsi: BigInt(DATA + 2) });
    expect([...machine.memory.subarray(0x3_0ff0, 0x3_0ff0 + 3001)].lastIndexOf(0x77)).toBe(2999);
  });
});

describe("MMIO exits", () => {
  /** Where no slot is. */
  const DEVICE = 0x20_0000;

  function mmioLog(code: readonly number[], reads: readonly number[][], regs = {}) {
    const machine = testMachine("flat", [...code, 0xf4], {
      rbx: BigInt(DEVICE),
      rsi: BigInt(DEVICE),
      ...regs,
    });
    const log: string[] = [];
    let read = 0;
    for (;;) {
      const exit = machine.run();
      if (exit.reason !== "MMIO") {
        expect(exit.reason).toBe("HLT");
        return { machine, log };
      }
      if (!exit.isWrite) exit.data.set(reads[read++] ?? []);
      const bytes = [...exit.data.subarray(0, exit.length)].map(byte => byte.toString(16)).join(" ");
      log.push(`${exit.isWrite ? "write" : "read"} ${(exit.address - DEVICE).toString(16)} ${bytes}`);
    }
  }

  it("reads, changes and writes in one instruction, with the right flags", () => {
    // stc · adc dword [ebx],1: the carry must be used once, although the instruction is executed thrice
    const { machine, log } = mmioLog([0xf9, 0x83, 0x13, 0x01], [[0xfe, 0xff, 0xff, 0xff]]);
    expect(log).toEqual(["read 0 fe ff ff ff", "write 0 0 0 0 0"]);
    expect(machine.vcpu.getRegs().rflags & 0x41n).toBe(0x41n);
  });

  it("cuts an access at the end of a page", () => {
    // mov eax,[ebx+0xffe]
    const { machine, log } = mmioLog(
      [0x8b, 0x83, 0xfe, 0x0f, 0, 0],
      [
        [0x11, 0x22],
        [0x33, 0x44],
      ],
    );
    expect(log).toEqual(["read ffe 11 22", "read 1000 33 44"]);
    expect(machine.vcpu.getRegs().rax).toBe(0x4433_2211n);
  });

  it("pops into a device and copies between two", () => {
    // push 0x12345678 · pop dword [ebx+8] · mov edi,ebx · movsd
    const { machine, log } = mmioLog(
      [0x68, 0x78, 0x56, 0x34, 0x12, 0x8f, 0x43, 0x08, 0x89, 0xdf, 0x83, 0xc7, 0x40, 0xa5],
      [[1, 2, 3, 4]],
    );
    expect(log).toEqual(["write 8 78 56 34 12", "read 0 1 2 3 4", "write 40 1 2 3 4"]);
    expect(machine.vcpu.getRegs()).toMatchObject({
      rsp: 0x9_0000n,
      rsi: BigInt(DEVICE + 4),
      rdi: BigInt(DEVICE + 0x44),
    });
  });

  it("moves 8 bytes at once", () => {
    // fld qword [ebx] · fstp qword [ebx+8], after fninit
    const { log } = mmioLog([0xdb, 0xe3, 0xdd, 0x03, 0xdd, 0x5b, 0x08], [[0, 0, 0, 0, 0, 0, 0xf0, 0x3f]]);
    expect(log).toEqual(["read 0 0 0 0 0 0 0 f0 3f", "write 8 0 0 0 0 0 0 f0 3f"]);
  });

  it("completes what an instruction still has to do, and brings its next exit first", () => {
    // add [ebx],eax: a read and a write of the device
    const machine = testMachine("flat", [0x01, 0x03, 0xf4], { rbx: 0x20_0000n, rax: 5n });
    const read = machine.run();
    expect(read).toMatchObject({ reason: "MMIO", isWrite: false });
    if (read.reason === "MMIO") read.data.set([7, 0, 0, 0]);
    machine.vcpu.completeExit();
    machine.vcpu.completeExit();
    const write = machine.run();
    expect(write).toMatchObject({ reason: "MMIO", isWrite: true, length: 4 });
    if (write.reason === "MMIO") expect([...write.data.subarray(0, 4)]).toEqual([12, 0, 0, 0]);
    machine.vcpu.completeExit();
    expect(machine.vcpu.getRegs().rip).toBe(BigInt(CODE_AT + 2));
    expect(machine.run().reason).toBe("HLT");
  });

  it("completes all items of an INS at once", () => {
    // rep insb, ecx = 40
    const machine = testMachine("flat", [0xf3, 0x6c, 0xf4], { rcx: 40n, rdx: 0x60n, rdi: BigInt(DATA) });
    const exit = machine.run();
    expect(exit).toMatchObject({ reason: "IO", direction: "in", count: 40 });
    if (exit.reason === "IO") exit.data.fill(0x33, 0, 40);
    machine.vcpu.completeExit();
    expect(machine.vcpu.getRegs()).toMatchObject({ rcx: 0n, rdi: BigInt(DATA + 40) });
    expect(machine.memory[DATA + 39]).toBe(0x33);
    expect(machine.run().reason).toBe("HLT");
  });

  it("turns writes to read-only slots into exits, and reads into reads", () => {
    const machine = testMachine("flat", [0x8b, 0x03, 0x89, 0x43, 0x04, 0xf4], { rbx: 0x40_0000n });
    const host = openSoft().allocateMemory(0x1000);
    new Uint8Array(host.memory.buffer, host.offset).set([7, 0, 0, 0]);
    machine.vm.setUserMemoryRegion({
      slot: 1,
      guestAddress: 0x40_0000,
      size: 0x1000,
      host,
      hostOffset: 0,
      readOnly: true,
    });
    expect(machine.run()).toMatchObject({ reason: "MMIO", isWrite: true, address: 0x40_0004, length: 4 });
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs().rax).toBe(7n);
  });
});

describe("the budget", () => {
  it("is kept exactly", () => {
    const machine = testMachine("flat", [0x40, 0x40, 0x40, 0xeb, 0xfb]);
    for (const [instructions, eax] of [
      [1, 1n],
      [3, 3n],
      [4000, 3003n],
      [1, 3004n],
    ] as const) {
      expect(machine.run(instructions)).toMatchObject({ reason: "INTR", cause: "budget" });
      expect(machine.vcpu.getRegs().rax).toBe(eax);
    }
  });

  it("counts each item of a repeated string instruction, and goes on where it stopped", () => {
    const machine = testMachine("flat", [0xf3, 0xa4, 0xf4], {
      rcx: 10_000n,
      rsi: BigInt(DATA),
      rdi: 0x3_0000n,
    });
    machine.memory.fill(0xaa, DATA, DATA + 10_000);
    expect(machine.run(2500).reason).toBe("INTR");
    expect(machine.vcpu.getRegs()).toMatchObject({
      rcx: 7500n,
      rip: BigInt(CODE_AT),
      rdi: 0x3_0000n + 2500n,
    });
    expect(machine.run(7500).reason).toBe("INTR");
    expect(machine.run(1).reason).toBe("HLT");
    expect(machine.memory[0x3_0000 + 9999]).toBe(0xaa);
  });

  it("ends with a kick", () => {
    const machine = testMachine("flat", [0xeb, 0xfe]);
    machine.vcpu.kick();
    expect(machine.run()).toMatchObject({ reason: "INTR", cause: "kick" });
    expect(machine.run(10)).toMatchObject({ reason: "INTR", cause: "budget" });
  });
});

describe("interrupts", () => {
  /** Real mode: vector 0x20 leads to inc bx · iret at CODE_AT + 0x100. */
  function interruptible(code: readonly number[]) {
    const machine = testMachine("real", code);
    machine.vcpu.setSregs({ ...machine.vcpu.getSregs(), idt: { base: 0n, limit: 0x3ff } });
    machine.view.setUint32(4 * 0x20, (0x1000 << 16) | 0x100, true);
    machine.memory.set([0x43, 0xcf], CODE_AT + 0x100);
    return machine;
  }

  it("opens the window one instruction after STI", () => {
    // nop · sti · inc ax · inc ax · hlt
    const machine = interruptible([0x90, 0xfb, 0x40, 0x40, 0xf4]);
    machine.vcpu.requestInterruptWindow = true;
    expect(machine.run().reason).toBe("IRQ_WINDOW_OPEN");
    expect(machine.vcpu.getRegs()).toMatchObject({ rax: 1n, rip: 3n });
    expect(machine.vcpu.readyForInterrupt).toBe(true);
    machine.vcpu.requestInterruptWindow = false;
    machine.vcpu.interrupt(0x20);
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs()).toMatchObject({ rax: 2n, rbx: 1n });
  });

  it("takes an interrupt given at an MMIO exit after the instruction, which is not made twice", () => {
    // sti · nop · mov [0xb000], ax with DS far above memory · inc ax · hlt
    const machine = interruptible([0xfb, 0x90, 0xa3, 0x00, 0xb0, 0x40, 0xf4]);
    const sregs = machine.vcpu.getSregs();
    machine.vcpu.setSregs({ ...sregs, ds: { ...sregs.ds, selector: 0xf000, base: 0xf000_0000n } });
    expect(machine.run()).toMatchObject({ reason: "MMIO", address: 0xf000_b000, isWrite: true });
    expect(machine.vcpu.readyForInterrupt).toBe(true);
    machine.vcpu.requestInterruptWindow = true;
    machine.vcpu.interrupt(0x20);
    expect(machine.run(), "the handler has returned: nothing is inside an instruction").toMatchObject({
      reason: "IRQ_WINDOW_OPEN",
    });
    machine.vcpu.requestInterruptWindow = false;
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs()).toMatchObject({ rax: 1n, rbx: 1n });
  });

  it("refuses an interrupt while IF is clear", () => {
    const machine = interruptible([0xf4]);
    machine.run();
    expect(machine.vcpu.readyForInterrupt).toBe(false);
    expect(() => machine.vcpu.interrupt(0x20)).toThrow(/cannot take an interrupt now/);
  });
});

describe("the count of instructions", () => {
  it("goes on whatever the guest does to its time-stamp counter", () => {
    // mov ecx,0x10 · xor eax,eax · xor edx,edx · wrmsr · jmp $
    const machine = testMachine(
      "flat",
      [0xb9, 0x10, 0, 0, 0, 0x31, 0xc0, 0x31, 0xd2, 0x0f, 0x30, 0xeb, 0xfe],
    );
    machine.run(1000);
    expect(machine.vcpu.instructions).toBe(1000);
    expect(machine.vcpu.getMsr(0x10)).toBeLessThan(1000n);
    machine.run(234);
    expect(machine.vcpu.instructions).toBe(1234);
  });
});

describe("debugging", () => {
  it("steps over one instruction at a time", () => {
    const machine = testMachine("flat", [0x40, 0xe9, 0, 0, 0, 0, 0x40, 0xf4]);
    machine.vcpu.setGuestDebug({ singleStep: true });
    const pcs = [1, 2, 3].map(() => {
      const exit = machine.run();
      return exit.reason === "DEBUG" ? Number(exit.pc) - CODE_AT : exit.reason;
    });
    expect(pcs).toEqual([1, 6, 7]);
    machine.vcpu.setGuestDebug(null);
    expect(machine.run().reason).toBe("HLT");
  });

  it("stops before an address, at INT3, and after a write", () => {
    const code = [0x40, 0x40, 0xc7, 0x05, 0x10, 0, 2, 0, 1, 0, 0, 0, 0x40, 0xcc];
    const machine = testMachine("flat", code);
    machine.vcpu.setGuestDebug({
      softwareBreakpoints: true,
      breakpoints: [
        { address: BigInt(CODE_AT + 1), kind: "execute", length: 1 },
        { address: BigInt(DATA + 0x10), kind: "write", length: 4 },
      ],
    });
    expect(machine.run()).toMatchObject({
      reason: "DEBUG",
      exception: 1,
      pc: BigInt(CODE_AT + 1),
      dr6: 0xffff_0ff1n,
    });
    const rflags = machine.vcpu.getRegs().rflags | 0x1_0000n;
    machine.vcpu.setRegs({ ...machine.vcpu.getRegs(), rflags });
    expect(machine.run()).toMatchObject({
      reason: "DEBUG",
      exception: 1,
      pc: BigInt(CODE_AT + 12),
      dr6: 0xffff_0ff2n,
    });
    expect(machine.run()).toMatchObject({ reason: "DEBUG", exception: 3, pc: BigInt(CODE_AT + 13) });
    expect(machine.vcpu.getRegs().rax).toBe(3n);
  });
});

describe("state", () => {
  it("can be taken from one vCPU and given to another in the middle of everything", () => {
    const code = [0xbe, 1, 0, 0, 0, 0x01, 0xf0, 0x0f, 0xaf, 0xf0, 0x50, 0x5b, 0xeb, 0xf5];
    const one = testMachine("paged", code);
    const other = testMachine("paged", code);
    one.run(1234);
    other.memory.set(one.memory);
    other.vcpu.setSregs(one.vcpu.getSregs());
    other.vcpu.setRegs(one.vcpu.getRegs());
    other.vcpu.setFpu(one.vcpu.getFpu());
    other.vcpu.setEvents(one.vcpu.getEvents());
    other.vcpu.setDebugRegs(one.vcpu.getDebugRegs());
    one.run(4321);
    other.run(4321);
    expect(fingerprint(other)).toBe(fingerprint(one));
  });

  it("lets several vCPUs run in turn on the same memory and code", () => {
    const machine = testMachine("flat", [0xf0, 0xff, 0x05, 0, 0, 2, 0, 0xeb, 0xf7]);
    const second = machine.vm.createVcpu(1);
    second.setSregs(machine.vcpu.getSregs());
    second.setRegs(machine.vcpu.getRegs());
    for (let turn = 0; turn < 10; turn++) {
      machine.run(10);
      second.run({ instructions: 20 });
    }
    expect(machine.view.getUint32(DATA, true)).toBe(150);
  });
});

describe("the A20 gate", () => {
  it("makes the second mebibyte the first again while it is closed", () => {
    // mov al,[0x10_0500] · hlt; then the same code once more with the gate open
    const machine = testMachine("flat", [0xa0, 0x00, 0x05, 0x10, 0x00, 0xf4]);
    machine.memory[0x500] = 0x42;
    machine.vcpu.a20Gate = "closed";
    expect(machine.run().reason).toBe("HLT");
    expect(machine.vcpu.getRegs().rax & 0xffn).toBe(0x42n);

    machine.vcpu.a20Gate = "open";
    machine.vcpu.setRegs({ ...machine.vcpu.getRegs(), rip: BigInt(CODE_AT) });
    expect(machine.run()).toMatchObject({ reason: "MMIO", address: 0x10_0500, isWrite: false });
  });
});
