/**
 * The machine of chapter 2: a boot sector where a BIOS would put it, and a serial port to print on.
 */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { type Buses, type RunOptions, runGuest } from "#layers/01-minimal-vm/vmm.ts";
import { Printer } from "../../sandbox/devices/printer.ts";
import type { Exit, Hypervisor, Vcpu } from "../../sandbox/kvm/api.ts";

/** All that real mode can name: FFFF:FFFF is the last byte but fifteen. */
export const RAM_SIZE = 0x11_0000;
export const BOOT_SECTOR = 0x7c00;
export const SECTOR_SIZE = 512;
export const SERIAL = 0x3f8;

// #region machine
export interface RealModeVm {
  readonly vcpu: Vcpu;
  readonly memory: GuestMemory;
  readonly buses: Buses;
  run(options?: RunOptions): Exit;
}

/** Builds the machine and boots `sector`; `print` gets every byte that the guest sends to its serial port. */
export function build(hypervisor: Hypervisor, sector: Uint8Array, print: (byte: number) => void): RealModeVm {
  const vm = hypervisor.createVm();

  const memory = new GuestMemory(vm, hypervisor.allocateMemory(RAM_SIZE));
  memory.map(0, 0, RAM_SIZE);
  memory.load("the boot sector", bootable(sector), BOOT_SECTOR);

  const buses = { ports: new Bus(), mmio: new Bus() };
  buses.ports.register("serial", SERIAL, 1, new Printer(print));

  const vcpu = vm.createVcpu(0);
  startAtBootSector(vcpu);

  return { vcpu, memory, buses, run: options => runGuest(vcpu, buses, options) };
}
// #endregion machine

/** A sector is 512 bytes and ends in 55 AA; a BIOS starts no other. */
export class BootSectorError extends Error {
  override readonly name = "BootSectorError";
}

function bootable(sector: Uint8Array): Uint8Array {
  if (sector.length !== SECTOR_SIZE || sector[510] !== 0x55 || sector[511] !== 0xaa) {
    throw new BootSectorError(
      `a boot sector is ${SECTOR_SIZE} bytes long and ends in 55 aa; this image is ${sector.length} bytes long`,
    );
  }
  return sector;
}

// #region start
/** What a BIOS leaves: CS:IP at the sector, and nothing to be relied upon in the other registers. */
function startAtBootSector(vcpu: Vcpu): void {
  const sregs = vcpu.getSregs();
  sregs.cs.selector = 0;
  sregs.cs.base = 0n;
  vcpu.setSregs(sregs);
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(BOOT_SECTOR), rdx: 0x80n, rflags: 0b10n });
}
// #endregion start
