import { afterEach, describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { CODE, type Fixture, RAM, realModeGuest } from "./guest-fixture.ts";

const HLT = 0xf4;
const BUDGET = { milliseconds: 2000 };

describe("memory slots of /dev/kvm", requires("kvm").options, () => {
  let guest: Fixture | undefined;
  const boot = (code: readonly number[]) => (guest = realModeGuest(code));
  afterEach(() => guest?.hypervisor.close());

  /** mov ax, 0x4000; mov ds, ax; mov al, [0]; hlt: reads guest-physical 0x40000. */
  const READ_4_0000 = [0xb8, 0x00, 0x40, 0x8e, 0xd8, 0xa0, 0x00, 0x00, HLT];
  /** The same with mov byte [0], 0x99. */
  const WRITE_4_0000 = [0xb8, 0x00, 0x40, 0x8e, 0xd8, 0xc6, 0x06, 0x00, 0x00, 0x99, HLT];

  it("are added, replaced by other memory, and deleted", () => {
    const { vm, vcpu, host, ram, start } = boot(READ_4_0000);
    ram[0x1_0000] = 0xaa;
    ram[0x1_1000] = 0xbb;
    const region = { slot: 1, guestAddress: 0x4_0000, size: 0x1000, host, hostOffset: 0x1_0000 };
    const al = () => Number(vcpu.getRegs().rax & 0xffn);

    vm.setUserMemoryRegion(region);
    expect([vcpu.run(BUDGET).reason, al()]).toEqual(["HLT", 0xaa]);

    start(READ_4_0000);
    vm.setUserMemoryRegion({ ...region, hostOffset: 0x1_1000, size: 0x2000 });
    expect([vcpu.run(BUDGET).reason, al()]).toEqual(["HLT", 0xbb]);

    start(READ_4_0000);
    vm.setUserMemoryRegion({ ...region, guestAddress: 0x5_0000 });
    expect(vcpu.run(BUDGET)).toMatchObject({ reason: "MMIO", address: 0x4_0000 });

    start(READ_4_0000);
    vm.setUserMemoryRegion(region);
    vm.setUserMemoryRegion({ ...region, size: 0 });
    vcpu.run(BUDGET); // the answer to the read before
    start(READ_4_0000);
    expect(vcpu.run(BUDGET)).toMatchObject({ reason: "MMIO", address: 0x4_0000 });
  });

  it("that are read-only give reads their bytes and writes an MMIO exit", () => {
    const { vm, vcpu, host, ram } = boot(WRITE_4_0000);
    ram[0x1_0000] = 0xaa;
    vm.setUserMemoryRegion({
      slot: 1,
      guestAddress: 0x4_0000,
      size: 0x1000,
      host,
      hostOffset: 0x1_0000,
      readOnly: true,
    });
    expect(vcpu.run(BUDGET)).toMatchObject({
      reason: "MMIO",
      address: 0x4_0000,
      isWrite: true,
      data: Uint8Array.of(0x99),
    });
    expect(vcpu.run(BUDGET).reason).toBe("HLT");
    expect(ram[0x1_0000]).toBe(0xaa);
  });

  it("refuse what the kernel would answer with a bare EINVAL, and change nothing", () => {
    const { vm, vcpu, host } = boot([HLT]);
    const good = { slot: 1, guestAddress: 0x4_0000, size: 0x1000, host, hostOffset: 0 };
    const refused = (change: Partial<typeof good>) => () => vm.setUserMemoryRegion({ ...good, ...change });
    expect(refused({ guestAddress: CODE })).toThrow(
      /slot 1 at 0x1000 to 0x1fff overlaps slot 0 at 0x0 to 0x1ffff. Delete or move slot 0 first/,
    );
    expect(refused({ guestAddress: 0x4_0010 })).toThrow(/its guestAddress, 0x40010, is no multiple of 4096/);
    expect(refused({ size: 100 })).toThrow(/its size, 0x64, is no multiple/);
    expect(refused({ hostOffset: 1 })).toThrow(/offset in the host memory, 0x1, is no multiple/);
    expect(refused({ hostOffset: RAM })).toThrow(/needs 4096 bytes from 0x20000 on, but .* has 131072/);
    expect(refused({ hostOffset: -4096 })).toThrow(/no multiple|needs/);
    expect(refused({ guestAddress: 2 ** 52 })).toThrow(/where x86 ends/);
    expect(refused({ slot: -1 })).toThrow(/slot -1 is out of range/);
    expect(refused({ slot: 1_000_000 })).toThrow(/slots are numbered from 0 to/);
    expect(refused({ size: 0 })).toThrow(/slot 1 does not exist, so it cannot be deleted/);
    expect(vcpu.run(BUDGET).reason).toBe("HLT");
  });
});
