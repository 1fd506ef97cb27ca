import { afterEach, describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import type { Exit } from "../api.ts";
import { probeKvm } from "../probe.ts";
import { CODE, type Fixture, realModeGuest } from "./guest-fixture.ts";

const kvm = requires("kvm");
const HLT = 0xf4;
const SPIN = [0xeb, 0xfe];
const BUDGET = { milliseconds: 2000 };

describe("a vCPU of /dev/kvm", kvm.options, () => {
  let guest: Fixture | undefined;
  const boot = (...args: Parameters<typeof realModeGuest>) => (guest = realModeGuest(...args));
  afterEach(() => guest?.hypervisor.close());

  /** Runs until an exit other than IO and MMIO; the exits in a form that outlives the record. */
  function exitsOf({ vcpu }: Fixture, answer: (exit: Exit) => void = () => {}): unknown[] {
    const seen: unknown[] = [];
    for (;;) {
      const exit = vcpu.run(BUDGET);
      seen.push("data" in exit ? { ...exit, data: [...exit.data] } : { ...exit });
      if (exit.reason !== "IO" && exit.reason !== "MMIO") return seen;
      answer(exit);
    }
  }

  it.each([false, true])("runs the guest that adds two numbers (shared memory: %s)", shared => {
    const fixture = boot(
      [
        ...[0xba, 0xf8, 0x03], // mov dx, 0x3f8
        ...[0x00, 0xd8], //       add al, bl
        ...[0x04, 0x30], //       add al, "0"
        0xee, //                  out dx, al
        HLT,
      ],
      { shared },
    );
    fixture.vcpu.setRegs({ ...fixture.vcpu.getRegs(), rax: 2n, rbx: 2n });
    expect(exitsOf(fixture)).toEqual([
      { reason: "IO", direction: "out", size: 1, port: 0x3f8, count: 1, data: [0x34] },
      { reason: "HLT" },
    ]);
  });

  it("shows what the guest writes to memory", () => {
    const fixture = boot([0xc7, 0x06, 0x00, 0x20, 0xcd, 0xab, HLT]); // mov word [0x2000], 0xabcd
    exitsOf(fixture);
    expect([...fixture.ram.subarray(0x2000, 0x2002)]).toEqual([0xcd, 0xab]);
  });

  it("hands IN the bytes that the VMM puts into the exit, in all three sizes", () => {
    const fixture = boot([
      ...[0xe4, 0x40], //       in al, 0x40
      ...[0xa2, 0x00, 0x20], // mov [0x2000], al
      ...[0xe5, 0x42], //       in ax, 0x42
      ...[0xa3, 0x02, 0x20], // mov [0x2002], ax
      ...[0x66, 0xe5, 0x44], // in eax, 0x44
      ...[0x66, 0xa3, 0x04, 0x20], // mov [0x2004], eax
      HLT,
    ]);
    const seen = exitsOf(fixture, exit => {
      if (exit.reason === "IO") exit.data.set([0x11, 0x22, 0x33, 0x44].slice(0, exit.size));
    });
    expect(seen.map(exit => (exit as { size?: number }).size)).toEqual([1, 2, 4, undefined]);
    expect([...fixture.ram.subarray(0x2000, 0x2008)]).toEqual([0x11, 0, 0x11, 0x22, 0x11, 0x22, 0x33, 0x44]);
  });

  it("tells every byte of a REP OUTSB, and takes those of a REP INSB", () => {
    const fixture = boot([
      ...[0xfc, 0xbe, 0x00, 0x20], // cld; mov si, 0x2000
      ...[0xba, 0x10, 0x00], //       mov dx, 0x10
      ...[0xb9, 0x05, 0x00], //       mov cx, 5
      ...[0xf3, 0x6e], //             rep outsb
      ...[0xbf, 0x00, 0x30], //       mov di, 0x3000
      ...[0xb9, 0x05, 0x00], //       mov cx, 5
      ...[0xf3, 0x6c], //             rep insb
      HLT,
    ]);
    fixture.ram.set(Buffer.from("hello"), 0x2000);
    const sent: number[] = [];
    let next = 0x41;
    const seen = exitsOf(fixture, exit => {
      if (exit.reason !== "IO") return;
      expect(exit.data.length).toBe(exit.count * exit.size);
      if (exit.direction === "out") sent.push(...exit.data);
      else for (let index = 0; index < exit.count; index++) exit.data[index] = next++;
    });
    expect(seen.at(-1)).toEqual({ reason: "HLT" });
    expect(Buffer.from(sent).toString()).toBe("hello");
    expect(Buffer.from(fixture.ram.subarray(0x3000, 0x3005)).toString()).toBe("ABCDE");
  });

  it("turns accesses without memory into MMIO exits", () => {
    const fixture = boot([
      ...[0xb8, 0x00, 0xf0, 0x8e, 0xd8], // mov ax, 0xf000; mov ds, ax
      ...[0xc7, 0x06, 0x10, 0x00, 0x34, 0x12], // mov word [0x10], 0x1234
      ...[0xa1, 0x20, 0x00], //               mov ax, [0x20]
      HLT,
    ]);
    const seen = exitsOf(fixture, exit => {
      if (exit.reason === "MMIO" && !exit.isWrite) exit.data.set([0x78, 0x56]);
    });
    expect(seen).toMatchObject([
      { reason: "MMIO", address: 0xf_0010, isWrite: true, length: 2, data: [0x34, 0x12] },
      { reason: "MMIO", address: 0xf_0020, isWrite: false, length: 2 },
      { reason: "HLT" },
    ]);
    expect(fixture.vcpu.getRegs().rax & 0xffffn).toBe(0x5678n);
  });

  it("ends a triple fault with SHUTDOWN", () => {
    const { vcpu } = boot([0x0f, 0x0b]); // ud2, with an IDT that has no room for a vector
    const sregs = vcpu.getSregs();
    const cs = { ...sregs.cs, selector: 8, type: 0b1011, db: 1, g: 1, limit: 0xffff_ffff };
    // Protected mode: in real mode KVM's emulator does not look at the IDT's limit.
    vcpu.setSregs({ ...sregs, cs, cr0: sregs.cr0 | 1n, idt: { base: 0n, limit: 0 } });
    expect(vcpu.run(BUDGET).reason).toBe("SHUTDOWN");
  });

  it("names the bytes that KVM cannot emulate, where it cannot", () => {
    const { vcpu, ram } = boot([HLT]);
    // Code in MMIO space: there is nothing to fetch.
    vcpu.setSregs({ ...vcpu.getSregs(), cs: { ...vcpu.getSregs().cs, base: 0xf_0000n, selector: 0xf000 } });
    vcpu.setRegs({ ...vcpu.getRegs(), rip: 0x10n });
    ram.fill(0);
    const exit = vcpu.run(BUDGET);
    expect(exit).toMatchObject({ reason: "INTERNAL_ERROR", suberror: 1, pc: 0xf_0010n });
    expect((exit as { message: string }).message).toMatch(/KVM cannot emulate .* 0xf0010/);
  });

  it("ends a guest that spins after its budget", () => {
    const { vcpu } = boot(SPIN);
    const start = performance.now();
    expect({ ...vcpu.run({ milliseconds: 50 }) }).toEqual({ reason: "INTR", cause: "budget" });
    const took = performance.now() - start;
    expect(took).toBeGreaterThanOrEqual(50);
    expect(took).toBeLessThan(1000);
  });

  it("keeps each run's own budget, although the timer stays set between runs", () => {
    const { vcpu, start } = boot([0xe6, 0x10, 0xeb, 0xfc]); // out 0x10, al; jmp $-2
    for (let count = 0; count < 10; count++) expect(vcpu.run({ milliseconds: 30 }).reason).toBe("IO");
    start(SPIN);
    const from = performance.now();
    expect({ ...vcpu.run({ milliseconds: 200 }) }).toEqual({ reason: "INTR", cause: "budget" });
    expect(performance.now() - from).toBeGreaterThanOrEqual(200);
    // A shorter budget than the one that is set, and none at all.
    expect({ ...vcpu.run({ milliseconds: 1 }) }).toEqual({ reason: "INTR", cause: "budget" });
    vcpu.run({ milliseconds: 0 });
    start([0xb9, 0xff, 0xff, 0xe2, 0xfe, HLT]); // mov cx, 0xffff; loop $; hlt
    expect(vcpu.run({ milliseconds: 0 })).toMatchObject({ reason: "INTR", cause: "budget" });
    expect(vcpu.run().reason).toBe("HLT");
  });

  it("takes a budget of any length", () => {
    const { vcpu } = boot([0xe6, 0x10, 0xe6, 0x10, HLT]);
    expect(vcpu.run({ milliseconds: Number.MAX_SAFE_INTEGER }).reason).toBe("IO");
    expect(vcpu.run({ milliseconds: Number.POSITIVE_INFINITY }).reason).toBe("IO");
    expect(vcpu.run({ instructions: 1 }).reason).toBe("HLT");
  });

  it("refuses a budget that is no time", () => {
    const { vcpu } = boot(SPIN);
    expect(() => vcpu.run({ milliseconds: Number.NaN })).toThrow(/budget of NaN/);
    expect(() => vcpu.run({ milliseconds: -1 })).toThrow(/budget of -1/);
  });

  it("ends the next run after a kick, and only that", () => {
    const { vcpu } = boot(SPIN);
    vcpu.kick();
    expect({ ...vcpu.run() }).toEqual({ reason: "INTR", cause: "kick" });
    expect({ ...vcpu.run({ milliseconds: 5 }) }).toEqual({ reason: "INTR", cause: "budget" });
  });

  it("completes an IN before the next instruction", () => {
    const { vcpu } = boot([0xe4, 0x40, 0x40, HLT]); // in al, 0x40; inc ax; hlt
    const exit = vcpu.run(BUDGET);
    if (exit.reason !== "IO") throw new Error(exit.reason);
    exit.data[0] = 0x77;
    vcpu.completeExit();
    const { rax, rip } = vcpu.getRegs();
    expect([rax & 0xffn, rip]).toEqual([0x77n, BigInt(CODE + 2)]);
    vcpu.completeExit(); // nothing left to complete
    expect(vcpu.run(BUDGET).reason).toBe("HLT");
    expect(vcpu.getRegs().rax & 0xffn).toBe(0x78n);
  });

  it("loses no exit that completing another one brings", () => {
    const fixture = boot([0xba, 0x10, 0x00, 0xb9, 0x03, 0x00, 0xbf, 0x00, 0x30, 0xf3, 0x6c, HLT]); // 3 × insb
    let next = 1;
    for (;;) {
      const exit = fixture.vcpu.run(BUDGET);
      if (exit.reason !== "IO") break;
      for (let index = 0; index < exit.count; index++) exit.data[index] = next++;
      fixture.vcpu.completeExit();
    }
    expect([...fixture.ram.subarray(0x3000, 0x3004)]).toEqual([1, 2, 3, 0]);
  });

  it("returns both halves of an access over a page's edge, also when one is completed apart", () => {
    const { vcpu } = boot([
      ...[0xb8, 0x00, 0x40, 0x8e, 0xd8], // mov ax, 0x4000; mov ds, ax
      ...[0x66, 0xa1, 0xfe, 0x0f], //       mov eax, [0xffe]
      HLT,
    ]);
    for (const [address, bytes] of [
      [0x4_0ffe, [0x11, 0x22]],
      [0x4_1000, [0x33, 0x44]],
    ] as const) {
      const exit = vcpu.run(BUDGET);
      expect(exit).toMatchObject({ reason: "MMIO", address, length: 2, isWrite: false });
      if (exit.reason === "MMIO") exit.data.set(bytes);
      vcpu.completeExit();
    }
    expect(vcpu.getRegs().rax & 0xffff_ffffn).toBe(0x4433_2211n);
    expect(vcpu.run(BUDGET).reason).toBe("HLT");
  });

  it("opens the interrupt window and delivers the interrupt", () => {
    // hlt; sti; mov cx, 0xffff; loop $; hlt
    const fixture = boot([0xf4, 0xfb, 0xb9, 0xff, 0xff, 0xe2, 0xfe, HLT]);
    const { vcpu, ram } = fixture;
    ram.set([0x00, 0x18, 0x00, 0x00], 4 * 0x21); // vector 0x21 → 0000:1800
    ram.set([0xe6, 0x21, 0xcf], 0x1800); // out 0x21, al; iret
    expect(vcpu.run(BUDGET).reason).toBe("HLT");
    expect([vcpu.interruptFlag, vcpu.readyForInterrupt]).toEqual([false, false]);
    expect(() => vcpu.interrupt(0x21)).toThrow(/cannot take an interrupt now/);
    vcpu.requestInterruptWindow = true;
    expect(vcpu.run(BUDGET).reason).toBe("IRQ_WINDOW_OPEN");
    expect([vcpu.interruptFlag, vcpu.readyForInterrupt]).toEqual([true, true]);
    vcpu.requestInterruptWindow = false;
    vcpu.interrupt(0x21);
    expect(vcpu.readyForInterrupt).toBe(false);
    expect(vcpu.run(BUDGET)).toMatchObject({ reason: "IO", port: 0x21 });
    expect(vcpu.run(BUDGET).reason).toBe("HLT");
    expect(() => vcpu.interrupt(256)).toThrow(/no vector 256/);
  });

  it("delivers an NMI through vector 2", () => {
    const { vcpu, ram } = boot([0x90, HLT]);
    ram.set([0x00, 0x18, 0x00, 0x00], 4 * 2);
    ram.set([0xe6, 0x02, 0xcf], 0x1800);
    vcpu.nmi();
    expect(vcpu.run(BUDGET)).toMatchObject({ reason: "IO", port: 2 });
    expect(vcpu.run(BUDGET).reason).toBe("HLT");
  });

  it("takes an interrupt from the in-kernel irqchip", () => {
    const icw = [
      0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21,
    ];
    const unmask = [0xb0, 0xfd, 0xe6, 0x21]; // mov al, 0xfd; out 0x21, al
    const fixture = boot([...icw, ...unmask, 0xe6, 0x10, 0xfb, HLT], { irqchip: true });
    const { vm, vcpu, ram } = fixture;
    ram.set([0x00, 0x18, 0x00, 0x00], 4 * 0x21);
    ram.set([0xe6, 0x11, 0xeb, 0xfe], 0x1800); // out 0x11, al; spin
    expect(vcpu.run(BUDGET)).toMatchObject({ reason: "IO", port: 0x10 });
    vm.setIrqLine(1, true);
    expect(vcpu.run(BUDGET)).toMatchObject({ reason: "IO", port: 0x11 });
    vm.createPit();
    expect(() => vm.createPit()).toThrow(/KVM_CREATE_PIT2: this VM has one already \(EEXIST\)/);
    expect(() => vm.createIrqchip()).toThrow(/KVM_CREATE_IRQCHIP/);
  });

  it("steps one instruction at a time", () => {
    const { vcpu } = boot([0x40, 0x40, 0x43, HLT]); // inc ax; inc ax; inc bx; hlt
    vcpu.setGuestDebug({ singleStep: true });
    const stops = [1, 2, 3].map(() => vcpu.run(BUDGET));
    expect(stops.map(stop => stop.reason)).toEqual(["DEBUG", "DEBUG", "DEBUG"]);
    expect(stops[2]).toMatchObject({ exception: 1, pc: BigInt(CODE + 3) });
    vcpu.setGuestDebug(null);
    expect(vcpu.run(BUDGET).reason).toBe("HLT");
  });

  it("stops at a hardware breakpoint", () => {
    const { vcpu } = boot([0x40, 0x40, 0x43, HLT]);
    const address = BigInt(CODE + 2);
    vcpu.setGuestDebug({ breakpoints: [{ address, kind: "execute", length: 1 }] });
    expect(vcpu.run(BUDGET)).toMatchObject({ reason: "DEBUG", exception: 1, pc: address });
  });

  // KVM's instruction emulator, which such a KVM runs on, delivers INT3 to the guest.
  const emulated = kvm.available && probeKvm().emulated;
  const int3 = "stops at an INT3 of the debugger";
  it.skipIf(emulated)(emulated ? `${int3} (skipped: KVM emulates the processor)` : int3, () => {
    const { vcpu } = boot([0x40, 0xcc, HLT]);
    vcpu.setGuestDebug({ softwareBreakpoints: true });
    expect(vcpu.run(BUDGET)).toMatchObject({ reason: "DEBUG", exception: 3, pc: BigInt(CODE + 1) });
  });

  it("gives back every register as it was set", () => {
    const { vcpu } = boot([HLT]);
    const names = Object.keys(vcpu.getRegs()) as (keyof ReturnType<typeof vcpu.getRegs>)[];
    const regs = vcpu.getRegs();
    names.forEach((name, index) => {
      regs[name] = 0x0123_4567_89ab_cd00n + BigInt(index);
    });
    regs.rip = 0x1234n;
    regs.rflags = 0x246n;
    vcpu.setRegs(regs);
    expect(vcpu.getRegs()).toEqual(regs);

    const sregs = vcpu.getSregs();
    sregs.ds = { ...sregs.ds, base: 0x1_2340n, selector: 0x1234, limit: 0xffff };
    sregs.gdt = { base: 0x5000n, limit: 0x1f };
    sregs.idt = { base: 0x6000n, limit: 0x3ff };
    sregs.cr2 = 0xdead_b000n;
    vcpu.setSregs(sregs);
    expect(vcpu.getSregs()).toEqual(sregs);

    const fpu = vcpu.getFpu();
    fpu.fcw = 0x27f;
    fpu.mxcsr = 0x1fa0;
    fpu.fpr = fpu.fpr.map((_, index) => (index % 16 < 10 ? index : 0));
    fpu.ftwx = 0b1010_0001;
    fpu.xmm = fpu.xmm.map((_, index) => index);
    vcpu.setFpu(fpu);
    expect(vcpu.getFpu()).toEqual(fpu);

    const debug = vcpu.getDebugRegs();
    debug.db = [0x1000n, 0x2000n, 0x3000n, 0x4000n];
    vcpu.setDebugRegs(debug);
    expect(vcpu.getDebugRegs()).toEqual(debug);

    const events = vcpu.getEvents();
    events.nmi = { ...events.nmi, masked: true };
    events.interrupt = { ...events.interrupt, injected: true, vector: 0x33 };
    vcpu.setEvents(events);
    expect(vcpu.getEvents()).toEqual(events);
  });

  it("reads and writes model-specific registers, and refuses unknown ones", () => {
    const { vcpu } = boot([HLT]);
    const SYSENTER_CS = 0x174;
    vcpu.setMsr(SYSENTER_CS, 0x10n);
    expect(vcpu.getMsr(SYSENTER_CS)).toBe(0x10n);
    expect(() => vcpu.getMsr(0x1234_5678)).toThrow(/KVM has no model-specific register 0x12345678/);
    expect(() => vcpu.setMsr(0x1234_5678, 1n)).toThrow(/KVM refuses model-specific register/);
  });

  it("runs several vCPUs of one VM in turn", () => {
    const { vm, vcpu } = boot([0xe6, 0x10, HLT]);
    const second = vm.createVcpu(1);
    const sregs = second.getSregs();
    second.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
    second.setRegs({ ...second.getRegs(), rip: BigInt(CODE), rax: 0x42n, rflags: 0x2n });
    expect(vcpu.run(BUDGET)).toMatchObject({ reason: "IO" });
    expect(second.run(BUDGET)).toMatchObject({ reason: "IO", data: Uint8Array.of(0x42) });
    expect([second.run(BUDGET).reason, vcpu.run(BUDGET).reason]).toEqual(["HLT", "HLT"]);
    expect(() => vm.createVcpu(1)).toThrow(
      /KVM_CREATE_VCPU: there is a vCPU with this id already \(EEXIST\)/,
    );
  });

  it("answers every call after close with an error, and a kept exit stays readable", () => {
    const { hypervisor, vm, vcpu } = boot([0xe6, 0x10, HLT]);
    const exit = vcpu.run(BUDGET);
    hypervisor.close();
    expect(() => vcpu.run()).toThrow(/KVM_RUN: this vCPU was closed already/);
    expect(() => vcpu.getRegs()).toThrow(/KVM_GET_REGS: it was closed already \(EBADF\)/);
    expect(() => vm.createVcpu(1)).toThrow(/this VM was closed already/);
    expect(() => hypervisor.createVm()).toThrow(/was closed already/);
    vcpu.kick();
    vcpu.close();
    vm.close();
    hypervisor.close();
    expect(exit).toMatchObject({ reason: "IO", port: 0x10 });
  });
});
