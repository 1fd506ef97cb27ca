import { describe, expect, it } from "vitest";
import { allocate } from "./ioctl.ts";
import { writeGuestDebug } from "./state.ts";
import { KVM_GUEST_DEBUG } from "./structs.ts";

describe("KVM_SET_GUEST_DEBUG's argument", () => {
  const written = (debug: Parameters<typeof writeGuestDebug>[1]) => {
    const { view } = allocate(KVM_GUEST_DEBUG);
    writeGuestDebug(view, debug);
    return {
      control: view.getUint32(0, true),
      dr: [0, 1, 2, 3].map(index => view.getBigUint64(8 + 8 * index, true)),
      dr7: view.getBigUint64(64, true),
    };
  };

  it("encodes DR7 as the manual's figure 17-1 shows it", () => {
    const { control, dr, dr7 } = written({
      breakpoints: [
        { address: 0x1001n, kind: "execute", length: 1 },
        { address: 0x2000n, kind: "write", length: 2 },
        { address: 0x3000n, kind: "access", length: 4 },
        { address: 0x4000n, kind: "access", length: 8 },
      ],
    });
    expect(control).toBe(0x0002_0001);
    expect(dr).toEqual([0x1001n, 0x2000n, 0x3000n, 0x4000n]);
    //             LEN3 RW3 LEN2 RW2 LEN1 RW1 LEN0 RW0      G3..G0
    expect(dr7).toBe(0b1011_1111_0101_0000_0000_0111_1010_1010n);
  });

  it("is all off for null, and combines stepping with INT3", () => {
    expect(written(null).control).toBe(0);
    expect(written({ singleStep: true, softwareBreakpoints: true }).control).toBe(0x0001_0003);
  });

  it("refuses what the processor cannot watch", () => {
    const at = (address: bigint, kind: "execute" | "write", length: 1 | 4) => () =>
      written({ breakpoints: [{ address, kind, length }] });
    expect(at(0n, "execute", 4)).toThrow(/its length is 1/);
    expect(at(2n, "write", 4)).toThrow(/not aligned to its 4 bytes/);
    const five = Array.from({ length: 5 }, () => ({ address: 0n, kind: "write", length: 1 }) as const);
    expect(() => written({ breakpoints: five })).toThrow(/5 breakpoints asked for/);
  });
});
