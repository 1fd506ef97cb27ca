/**
 * Guests that mean harm, or mean nothing: random descriptor tables, task states, page tables that point at
 * themselves and outside of memory, under streams of system instructions. The engine may end them with any
 * exit, but never throws, never goes on past the budget, and never writes outside of the guest's memory.
 */
import { expect, it } from "vitest";
import { openSoft } from "../../kvm/soft/soft.ts";

const RAM = 1024 * 1024;
const FENCE = 64 * 1024;
const REASONS = ["HLT", "SHUTDOWN", "INTR", "IO", "MMIO", "INTERNAL_ERROR"];

/** System instructions and their like; the rest of the code is random bytes. */
const STARTS = [
  [0x0f, 0x00],
  [0x0f, 0x01],
  [0x0f, 0x02],
  [0x0f, 0x03],
  [0x0f, 0x20],
  [0x0f, 0x21],
  [0x0f, 0x22],
  [0x0f, 0x23],
  [0x0f, 0x30],
  [0x0f, 0x32],
  [0x0f, 0x34],
  [0x0f, 0x35],
  [0x8e],
  [0x07],
  [0x17],
  [0x1f],
  [0x9a],
  [0xea],
  [0xca],
  [0xcb],
  [0xcc],
  [0xcd],
  [0xce],
  [0xcf],
  [0x9d],
  [0xfa],
  [0xfb],
  [0xc4],
  [0xc5],
  [0xff],
  [0x0f, 0xb2],
  [0x62],
];

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}

it("wild tables and system instructions end in an exit", () => {
  const hypervisor = openSoft();
  const host = hypervisor.allocateMemory(RAM + FENCE);
  const memory = new Uint8Array(host.memory.buffer, host.offset, host.size);
  const seen = new Map<string, number>();
  try {
    for (let round = 0; round < 400; round++) {
      const random = generator(round * 7919 + 1);
      const words = new Uint32Array(memory.buffer, memory.byteOffset, RAM / 4);
      for (let at = 0; at < 0x8000; at++) {
        // Entries of tables: small addresses and plausible bits, so that much of it is followed.
        words[at] =
          random() % 4 === 0 ? (random() << 8) ^ random() : ((random() % 0x120) << 12) | (random() & 0xfff);
      }
      for (let at = 0x1_0000; at < 0x2_0000; ) {
        for (const byte of STARTS[random() % STARTS.length]!) memory[at++] = byte;
        for (let more = random() % 5; more > 0; more--) memory[at++] = random();
      }
      memory.fill(0xa5, RAM);
      const vm = hypervisor.createVm();
      vm.setUserMemoryRegion({ slot: 0, guestAddress: 0, size: RAM, host, hostOffset: 0 });
      const vcpu = vm.createVcpu(0);
      const sregs = vcpu.getSregs();
      const code = {
        ...sregs.cs,
        base: 0n,
        limit: 0xffff_ffff,
        selector: 8,
        type: 0xb,
        db: 1,
        g: 1,
        s: 1,
        present: 1,
      };
      const data = { ...code, selector: 0x10, type: 3 };
      vcpu.setSregs({
        ...sregs,
        cs: code,
        ds: data,
        es: data,
        ss: data,
        tr: { ...data, s: 0, type: 0xb, base: 0x800n, limit: 0x67 },
        gdt: { base: BigInt(random() % 0x8000), limit: 0xffff },
        idt: { base: BigInt(random() % 0x8000), limit: 0x7ff },
        cr0: round % 2 === 0 ? 0x11n : 0x8000_0011n,
        cr3: BigInt((random() % 8) << 12),
        cr4: BigInt([0x10, 0x30, 0x90][random() % 3]!),
      });
      vcpu.setRegs({
        ...vcpu.getRegs(),
        rip: 0x1_0000n + BigInt(random() % 0x8000),
        rsp: 0x9000n,
        rflags: 2n,
      });
      let left = 3000;
      for (let exits = 0; exits < 200 && left > 0; exits++) {
        const exit = vcpu.run({ instructions: Math.min(left, 500) });
        expect(REASONS).toContain(exit.reason);
        seen.set(exit.reason, (seen.get(exit.reason) ?? 0) + 1);
        if (exit.reason === "INTR") left -= 500;
        else if (exit.reason === "IO" || exit.reason === "MMIO") exit.data.fill(random());
        else if (exit.reason !== "HLT") break;
      }
      vcpu.close();
      vm.close();
      expect(memory.subarray(RAM).every(byte => byte === 0xa5)).toBe(true);
    }
  } finally {
    hypervisor.close();
  }
  // The guests got somewhere: they did not all stop at once in the same way.
  expect(seen.size).toBeGreaterThan(2);
  expect(seen.get("SHUTDOWN")).toBeGreaterThan(100);
});
