import { expect, it } from "vitest";
import type { Exit } from "../../sandbox/kvm/api.ts";
import { copyExit, exitLine, hex } from "./exit-log.ts";

const EXITS: [exit: Exit, line: string][] = [
  [
    { reason: "IO", direction: "out", port: 0x3f8, size: 1, count: 1, data: Uint8Array.of(0x34) },
    '#1   IO     out    0x03f8       1 byte     34                         "4"',
  ],
  [
    { reason: "IO", direction: "in", port: 0x60, size: 2, count: 1, data: Uint8Array.of(0xff, 0xff, 0xee) },
    "#2   IO     in     0x0060       2 bytes    ff ff",
  ],
  [
    {
      reason: "IO",
      direction: "out",
      port: 0x3f8,
      size: 1,
      count: 10,
      data: new TextEncoder().encode("0123456789"),
    },
    '#3   IO     out    0x03f8       10×1 byte  30 31 32 33 34 35 36 37 …  "0123456789"',
  ],
  [
    { reason: "MMIO", isWrite: true, address: 0xd0000, length: 4, data: Uint8Array.of(1, 2, 3, 4) },
    "#4   MMIO   write  0x000d_0000  4 bytes    01 02 03 04",
  ],
  [
    { reason: "MMIO", isWrite: false, address: 0xfee0_0000_0000, length: 1, data: Uint8Array.of(0) },
    "#5   MMIO   read   0xfee0_0000_0000 1 byte     00",
  ],
  [{ reason: "HLT" }, "#6   HLT"],
  [{ reason: "IRQ_WINDOW_OPEN" }, "#7   IRQ_WINDOW_OPEN"],
  [{ reason: "SHUTDOWN" }, "#8   SHUTDOWN triple fault"],
  [{ reason: "INTR", cause: "budget" }, "#9   INTR   the run's budget is spent"],
  [
    { reason: "DEBUG", exception: 1, pc: 0x7c00n, dr6: 0xffff_4ff0n, dr7: 0n },
    "#10  DEBUG  #DB at 0x0000_7c00, dr6 0xffff_4ff0",
  ],
  [
    {
      reason: "INTERNAL_ERROR",
      suberror: 1,
      pc: 0n,
      instruction: Uint8Array.of(0x0f),
      message: "cannot emulate 0f",
    },
    "#11  INTERNAL_ERROR cannot emulate 0f",
  ],
  [
    { reason: "FAIL_ENTRY", hardwareReason: 0x21n },
    "#12  FAIL_ENTRY the processor refused this state, reason 0x0000_0021",
  ],
  [
    { reason: "UNKNOWN", code: 37, hardwareReason: 0n },
    "#13  UNKNOWN KVM_EXIT 37, hardware reason 0x0000_0000",
  ],
];

for (const [at, [exit, line]] of EXITS.entries()) {
  it(`prints ${line}`, () => expect(exitLine(at + 1, exit)).toBe(line));
}

it("columns do not move with the direction, the size or the number", () => {
  const lines = EXITS.slice(0, 4).map(([exit], at) => exitLine(at + 9, exit));
  expect(new Set(lines.map(line => line.search(/0x/)))).toEqual(new Set([19]));
});

it("a copy is its own: what the vCPU writes into its record later does not reach it", () => {
  const record = {
    reason: "IO",
    direction: "out",
    port: 1,
    size: 1,
    count: 1,
    data: Uint8Array.of(7, 8, 9),
  } as const;
  const copy = copyExit(record);
  record.data[0] = 0;
  expect(copy).toEqual({
    reason: "IO",
    direction: "out",
    port: 1,
    size: 1,
    count: 1,
    data: Uint8Array.of(7),
  });
});

it("groups hex digits by four", () => {
  expect([hex(0, 4), hex(0x12345, 4), hex(0xffff_ffff_ffff_ffffn, 8)]).toEqual([
    "0x0000",
    "0x1_2345",
    "0xffff_ffff_ffff_ffff",
  ]);
});
