import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import { openSoft } from "../kvm/soft/soft.ts";
import { ManualClock } from "../machine/clock.ts";
import { assembleMachine, type Machine } from "../machine/machine.ts";
import { VirtualTime } from "../machine/timekeeper.ts";
import { busNumbers, device, eisaId, integer, name, packageOf, scope } from "./acpi-aml.ts";
import { AcpiPower, SLEEP_TYPE_OFF } from "./acpi-power.ts";

const SLEEP_ENABLE = 1 << 13;

describe("power management registers", () => {
  function bench() {
    const clock = new ManualClock();
    const sci = { level: false };
    let offs = 0;
    const power = new AcpiPower(
      clock,
      {
        raise() {
          sci.level = true;
        },
        lower() {
          sci.level = false;
        },
      },
      () => offs++,
    );
    return { clock, sci, power, offs: () => offs };
  }

  it("switch off on SLP_EN with the type of S5, and on no other", () => {
    const { power, offs } = bench();
    for (let type = 0; type < 8; type++) {
      if (type !== SLEEP_TYPE_OFF) power.write(4, 2, (type << 10) | SLEEP_ENABLE);
    }
    power.write(4, 2, SLEEP_TYPE_OFF << 10);
    expect(offs()).toBe(0);
    power.write(4, 2, (SLEEP_TYPE_OFF << 10) | SLEEP_ENABLE);
    expect(offs()).toBe(1);
  });

  it("are in ACPI mode from the start, and SLP_EN reads 0", () => {
    const { power } = bench();
    expect(power.read(4, 2)).toBe(1);
    power.write(4, 2, 0xffff & ~(SLEEP_TYPE_OFF << 10));
    expect(power.read(4, 2)).toBe(0b0000_1000_0000_0011);
  });

  it("have a timer of 3.579545 MHz that comes back to 0 after 20 minutes", () => {
    const { clock, power } = bench();
    clock.advance(1e9);
    expect(power.read(8, 4)).toBe(3_579_545);
    expect([power.read(8, 1), power.read(10, 2)]).toEqual([3_579_545 & 0xff, 3_579_545 >> 16]);
    // 2^32 ticks of 88/315 µs.
    clock.advanceTo(Math.ceil((2 ** 32 * 88_000) / 315));
    expect(power.read(8, 4)).toBe(0);
  });

  it("tell of every change of the timer's bit 31, by the interrupt if it is enabled", () => {
    const { clock, power, sci } = bench();
    const half = (2 ** 31 * 88_000) / 315;
    clock.advanceTo(Math.ceil(half) - 1);
    expect(power.read(0, 2)).toBe(0);
    clock.advance(1);
    expect([power.read(0, 2), sci.level]).toEqual([1, false]);
    power.write(2, 2, 1);
    expect(sci.level).toBe(true);
    power.write(0, 2, 1);
    expect(sci.level).toBe(false);
    expect(clock.nextDeadline).toBe(Math.ceil(2 * half));
    clock.advanceToNext();
    expect([sci.level, power.read(0, 2)]).toEqual([true, 1]);
  });

  it("go on after a restore as if nothing had been", () => {
    const { clock, power } = bench();
    power.write(2, 2, 1);
    clock.advance(700e9);
    const other = bench();
    other.clock.advance(700e9);
    other.power.restore(JSON.parse(JSON.stringify(power.save())));
    expect(other.power.save()).toEqual(power.save());
    expect(other.sci.level).toBe(true);
    other.power.write(0, 2, 1);
    expect(other.clock.nextDeadline).toBe(Math.ceil((2 ** 32 * 88_000) / 315));
  });
});

describe("the AML assembler", () => {
  it("takes the shortest form of a number", () => {
    expect([0, 1, 2, 0xff, 0x100, 0xffff, 0x1_0000].map(value => integer(value).length)).toEqual([
      1, 1, 2, 2, 3, 3, 5,
    ]);
  });

  it("packs an EISA ID as the specification's example does", () => {
    // 19.6.36: EISAID ("PNP0C09") is 0x090cd041.
    expect(eisaId("PNP0C09")).toEqual([0x0c, 0x41, 0xd0, 0x0c, 0x09]);
  });

  it.each([
    [0x3e, 1],
    [0x3f, 2],
    [0xffd, 2],
    [0xffe, 3],
  ])("counts %i bytes by a length of %i", (count, size) => {
    const [, ...rest] = packageOf(new Array(count - 1).fill(0));
    expect(rest.length).toBe(count + size);
    const more = rest[0]! >> 6;
    let length = more === 0 ? rest[0]! : rest[0]! & 0xf;
    for (let at = 0; at < more; at++) length += rest[1 + at]! << (4 + 8 * at);
    expect(length).toBe(rest.length);
  });

  it("nests terms", () => {
    expect(scope("\\_SB", device("A", name("B", integer(1))))).toEqual([
      0x10, 19, 0x5c, 0x5f, 0x53, 0x42, 0x5f, 0x5b, 0x82, 11, 0x41, 0x5f, 0x5f, 0x5f, 0x08, 0x42, 0x5f, 0x5f,
      0x5f, 1,
    ]);
    expect(busNumbers(0, 3)).toHaveLength(16);
  });
});

describe("the tables in memory", () => {
  const network = (transport: "mmio" | "pci") => ({
    backend: { send() {}, onFrame: null } satisfies NetBackend,
    mac: "52:54:00:12:34:56",
    transport,
  });
  const machineWith = (transport: "mmio" | "pci") =>
    assembleMachine({
      hypervisor: openSoft(),
      memorySize: 2 << 20,
      startDate: 0,
      time: counter => new VirtualTime(counter!),
      serialOutput() {},
      network: network(transport),
    });

  /** By signature: what a kernel finds that follows the pointers. */
  function tablesOf({ parts: { memory } }: Machine): ReadonlyMap<string, Uint8Array> {
    const tables = new Map<string, Uint8Array>();
    let root = 0xe_0000;
    const signature = new TextEncoder().encode("RSD PTR ");
    while (!memory.readBytes(root, 8).every((byte, at) => byte === signature[at])) {
      root += 16;
      if (root === 0x10_0000) throw new Error("no RSDP");
    }
    tables.set("RSDP", memory.readBytes(root, 36));
    const add = (address: number) => {
      const table = memory.readBytes(address, memory.read(address + 4, 4));
      const called = String.fromCharCode(...table.subarray(0, 4));
      tables.set(called, table);
      return address;
    };
    const rsdt = add(memory.read(root + 16, 4));
    const xsdt = add(memory.read(root + 24, 4));
    expect(memory.read(xsdt + 36, 4)).toBe(memory.read(rsdt + 36, 4));
    const fadt = add(memory.read(rsdt + 36, 4));
    expect(memory.read(fadt + 140, 4)).toBe(memory.read(fadt + 40, 4));
    add(memory.read(fadt + 36, 4));
    add(memory.read(fadt + 40, 4));
    return tables;
  }

  it("are found by a scan, and all their sums are 0", () => {
    const tables = tablesOf(machineWith("pci"));
    expect([...tables.keys()]).toEqual(["RSDP", "RSDT", "XSDT", "FACP", "FACS", "DSDT"]);
    for (const [called, bytes] of tables) {
      if (called === "FACS") continue;
      expect([called, bytes.reduce((sum, byte) => sum + byte, 0) % 256]).toEqual([called, 0]);
    }
    const root = tables.get("RSDP")!.subarray(0, 20);
    expect(root.reduce((sum, byte) => sum + byte, 0) % 256).toBe(0);
  });

  const folder = mkdtempSync(join(tmpdir(), "vmexit-acpi-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What ACPI's own compiler makes of a table. */
  function disassembled(called: string, bytes: Uint8Array): string {
    const file = join(folder, called);
    writeFileSync(`${file}.dat`, bytes);
    execFileSync("iasl", ["-d", `${file}.dat`], { stdio: "pipe" });
    return readFileSync(`${file}.dsl`, "latin1");
  }

  it("are what ACPI's own compiler reads, and compiles again to the same bytes", context => {
    if (spawnSync("iasl", ["-v"]).error) {
      if (process.env.CI) throw new Error("iasl is missing: install acpica-tools");
      context.skip("no iasl (Debian: acpica-tools)");
    }
    const tables = tablesOf(machineWith("mmio"));
    const fadt = disassembled("facp", tables.get("FACP")!);
    expect(fadt).toMatch(/PM1A Control Block Address : 00000604/);
    expect(fadt).toMatch(/SCI Interrupt : 0009/);
    expect(fadt).toMatch(/Reset Register Supported \(V2\) : 1/);

    const namespace = disassembled("dsdt", tables.get("DSDT")!);
    expect(namespace).toMatch(/Name \(\\_S5, Package \(0x04\).*\n\s*{\s*0x05,\s*0x05,\s*Zero,\s*Zero\s*}/);
    expect(namespace).toMatch(/Name \(_HID, EisaId \("PNP0A03"\)/);
    expect(namespace).toMatch(/0x0001FFFF,\s*Zero,\s*Zero,\s*0x0B\s/);
    expect(namespace).toMatch(/0x0002FFFF,\s*Zero,\s*Zero,\s*0x0A\s/);
    expect(namespace).toMatch(/0xE0000000, .*Range Minimum\s*0xEFFFFFFF, .*Range Maximum/);
    expect(namespace).toMatch(/"LNRO0005"/);
    execFileSync("iasl", ["-oa", "-p", join(folder, "again"), join(folder, "dsdt.dsl")], { stdio: "pipe" });
    // Behind the header, in which the compiler signs.
    expect([...readFileSync(join(folder, "again.aml")).subarray(36)]).toEqual([
      ...tables.get("DSDT")!.subarray(36),
    ]);
  });

  it("name the card outside of PCI only where there is one", () => {
    const has = (transport: "mmio" | "pci") =>
      String.fromCharCode(...tablesOf(machineWith(transport)).get("DSDT")!).includes("LNRO0005");
    expect([has("mmio"), has("pci")]).toEqual([true, false]);
  });

  it("tell how to end the machine", () => {
    const machine = machineWith("pci");
    const { ports } = machine.parts.buses;
    const fadt = tablesOf(machine).get("FACP")!;
    const view = new DataView(fadt.buffer);
    ports.write(view.getUint32(64, true), 2, (5 << 10) | SLEEP_ENABLE);
    expect(machine.parts.takeEnd()).toEqual({ kind: "power-off" });
  });
});
