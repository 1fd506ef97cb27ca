import { describe, expect, it } from "vitest";
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { handleExit } from "#layers/01-minimal-vm/vmm.ts";
import { requires } from "../../../chapters/tools/requires.ts";
import type { EngineName } from "../../kvm/api.ts";
import { openEngine } from "../../kvm/engines.ts";
import { ManualClock } from "../../machine/clock.ts";
import { mainboard } from "./mainboard.ts";
import { type Access, awaitBits, named, out, read, replayImage, replayOnQemu, sleepUntil } from "./replay.ts";

/** Guest time that one port access takes on our machine. */
const ACCESS_NANOSECONDS = 10_000;

const [MASTER, SLAVE, PIT, KEYBOARD, RTC, SERIAL] = [0x20, 0xa0, 0x40, 0x60, 0x70, 0x3f8];

const initializePics = (icw1 = 0x11, icw4 = 0x01): Access[] => [
  ...out(MASTER, icw1),
  ...out(MASTER + 1, 0x20, 0x04, icw4),
  ...out(SLAVE, icw1),
  ...out(SLAVE + 1, 0x28, 0x02, icw4),
];

const registers = (when: string): Access[] => [
  ...out(MASTER, 0x0a),
  ...read(MASTER, `IRR of the master ${when}`),
  ...out(MASTER, 0x0b),
  ...read(MASTER, `ISR of the master ${when}`),
  ...out(SLAVE, 0x0a),
  ...read(SLAVE, `IRR of the slave ${when}`),
  ...out(SLAVE, 0x0b),
  ...read(SLAVE, `ISR of the slave ${when}`),
];

const poll = (chip: number, when: string): Access[] => [...out(chip, 0x0c), ...read(chip, `poll ${when}`)];

/** Sources of interrupts that a guest can drive: IRQ 0, 1, 4, 8 and 12. */
const raise = {
  timer: [...out(PIT + 3, 0x30), ...out(PIT, 1, 0), ...out(MASTER, 0x0a), ...awaitBits(MASTER, 0x01, 0x01)],
  keyboard: [...out(KEYBOARD + 4, 0xd2), ...out(KEYBOARD, 0x55), ...awaitBits(KEYBOARD + 4, 0x01, 0x01)],
  mouse: [...out(KEYBOARD + 4, 0xd3), ...out(KEYBOARD, 0x66), ...awaitBits(KEYBOARD + 4, 0x21, 0x21)],
  serial: [...out(SERIAL + 4, 0x0b), ...out(SERIAL + 1, 0x02)],
  clock: [
    ...out(RTC, 0x0a),
    ...out(RTC + 1, 0x26),
    ...out(RTC, 0x0b),
    ...out(RTC + 1, 0x42),
    ...out(SLAVE, 0x0a),
    ...awaitBits(SLAVE, 0x01, 0x01),
  ],
};
const calm = {
  keyboard: read(KEYBOARD, "the byte in the output buffer"),
  serial: [...read(SERIAL + 2, "IIR", 0x0f), ...out(SERIAL + 1, 0)],
  clock: [...out(RTC, 0x0b), ...out(RTC + 1, 0x02), ...out(RTC, 0x0c), ...read(RTC + 1, "register C", 0x80)],
};
const configureKeyboard = [...out(KEYBOARD + 4, 0x60), ...out(KEYBOARD, 0x47)];

const SCRIPTS: Readonly<Record<string, Access[]>> = {
  "the interrupt controllers: priorities, polling and EOI": [
    ...configureKeyboard,
    ...initializePics(),
    ...out(MASTER + 1, 0x00),
    ...out(SLAVE + 1, 0x00),
    ...read(MASTER + 1, "the master's mask"),
    ...raise.timer,
    ...raise.keyboard,
    ...raise.serial,
    ...registers("with IRQ 0, 1 and 4 pending"),
    ...poll(MASTER, "acknowledges IRQ 0"),
    ...poll(MASTER, "gives nothing while 0 is in service"),
    ...registers("with 0 in service"),
    ...out(MASTER, 0x20),
    ...poll(MASTER, "acknowledges IRQ 1"),
    ...out(MASTER, 0x61),
    ...registers("after the specific EOI"),
    ...poll(MASTER, "acknowledges IRQ 4"),
    ...raise.timer,
    ...poll(MASTER, "nests IRQ 0 inside of 4"),
    ...registers("with 0 and 4 in service"),
    ...out(MASTER, 0x20),
    ...registers("after the EOI of 0"),
    ...out(MASTER, 0x20),
    ...registers("after the EOI of 4"),
    ...calm.keyboard,
    ...calm.serial,
  ],
  "the interrupt controllers: cascade": [
    ...configureKeyboard,
    ...initializePics(),
    ...out(MASTER + 1, 0x00),
    ...out(SLAVE + 1, 0x00),
    ...raise.mouse,
    ...registers("with IRQ 12 pending"),
    ...poll(MASTER, "of the master acknowledges IR2"),
    ...poll(SLAVE, "of the slave acknowledges its IR4"),
    ...registers("with both in service"),
    ...raise.clock,
    ...registers("with IRQ 8 behind it"),
    ...poll(MASTER, "gives nothing before the master's EOI"),
    ...out(MASTER, 0x20),
    ...poll(SLAVE, "acknowledges the more urgent IRQ 8"),
    ...out(SLAVE, 0x20),
    ...out(SLAVE, 0x20),
    ...calm.clock,
    ...read(KEYBOARD, "the mouse's byte"),
    // QEMU's master remembers the edge of a slave whose request went away; the data sheet's does not
    // ("in both the edge and level triggered modes the IR inputs must remain high").
    ...out(MASTER, 0x0a),
    ...read(MASTER, "IRR of the master at the end", 0b1111_1011),
    ...out(MASTER, 0x0b),
    ...read(MASTER, "ISR of the master at the end"),
  ],
  "the interrupt controllers: rotation, special mask, automatic EOI": [
    ...configureKeyboard,
    ...initializePics(),
    ...out(MASTER + 1, 0x00),
    ...out(SLAVE + 1, 0xff),
    ...raise.keyboard,
    ...poll(MASTER, "acknowledges IRQ 1"),
    ...out(MASTER, 0xa0), // rotate on non-specific EOI
    ...calm.keyboard,
    ...raise.keyboard,
    ...raise.serial,
    ...poll(MASTER, "prefers 4 to the rotated 1"),
    ...registers("with 4 in service"),
    ...out(MASTER, 0xe4), // rotate on specific EOI
    ...calm.serial,
    ...out(MASTER, 0xc7), // set priority: 7 is the lowest again
    ...raise.serial,
    ...poll(MASTER, "prefers 1"),
    ...poll(MASTER, "gives nothing to 4"),
    ...out(MASTER + 1, 0x02),
    ...out(MASTER, 0x68), // special mask mode
    ...poll(MASTER, "lets 4 through the masked 1"),
    ...registers("in special mask mode"),
    ...out(MASTER, 0x64),
    ...out(MASTER, 0x48),
    ...out(MASTER, 0x61),
    ...calm.serial,
    ...calm.keyboard,
    ...initializePics(0x11, 0x03),
    ...out(MASTER + 1, 0x00),
    ...out(SLAVE + 1, 0xff),
    ...raise.keyboard,
    ...poll(MASTER, "acknowledges in automatic EOI mode"),
    ...registers("with nothing in service"),
    ...calm.keyboard,
  ],
  "the interrupt controllers: level triggered by the ELCR": [
    ...out(0x4d0, 0xff),
    ...out(0x4d1, 0xff),
    ...read(0x4d0, "ELCR 1"),
    ...read(0x4d1, "ELCR 2"),
    ...out(0x4d0, 0x10),
    ...initializePics(),
    ...out(MASTER + 1, 0x00),
    ...out(SLAVE + 1, 0xff),
    ...raise.serial,
    ...poll(MASTER, "acknowledges IRQ 4"),
    ...registers("with the line still high"),
    ...out(MASTER, 0x20),
    ...poll(MASTER, "acknowledges it again"),
    ...calm.serial,
    ...out(MASTER, 0x20),
    ...registers("after the line fell"),
  ],
  "the timer: status, latches and order of bytes": [
    // QEMU does not keep NULL COUNT, and lets counters run that wait for a count or their gate.
    ...[0, 1, 2].flatMap(counter =>
      [0x10, 0x12, 0x34, 0x36, 0x28, 0x2a].flatMap(mode => [
        ...out(PIT + 3, (counter << 6) | mode),
        ...out(PIT + counter, 0xf0),
        ...((mode & 0x30) === 0x30 ? out(PIT + counter, 0xf0) : []),
        ...out(PIT + 3, 0xe0 | (2 << counter)),
        ...read(PIT + counter, `status of counter ${counter}, mode word ${mode.toString(2)}`, 0x3f),
      ]),
    ),
    ...out(PIT + 3, 0x34),
    ...out(PIT, 0x00, 0xf8),
    ...out(PIT + 3, 0x00),
    ...read(PIT, "LSB, at any value", 0x00),
    ...read(PIT, "MSB of the latched count", 0x80),
    ...out(PIT + 3, 0xc2), // status and count of counter 0
    ...read(PIT, "status first", 0x3f),
    ...read(PIT, "LSB then", 0x00),
    ...read(PIT, "MSB then", 0x80),
    ...out(PIT + 3, 0x30), // mode 0: OUT is low until the count is through
    ...out(PIT, 0xff, 0xff),
    ...out(PIT + 3, 0xe2),
    ...read(PIT, "OUT in mode 0, counting", 0x80),
    ...out(PIT + 3, 0x10),
    ...out(PIT, 0x02),
    ...out(MASTER, 0x0a),
    ...initializePics(),
    ...out(PIT + 3, 0x10),
    ...out(PIT, 0x02),
    ...out(MASTER, 0x0a),
    ...awaitBits(MASTER, 0x01, 0x01),
    ...out(PIT + 3, 0xe2),
    ...read(PIT, "OUT in mode 0, done", 0xbf),
    ...out(0x61, 0x01),
    ...out(PIT + 3, 0x90),
    ...out(PIT + 2, 0x20),
    ...awaitBits(0x61, 0x20, 0x20),
    ...read(0x61, "port 0x61", 0x2f),
    ...out(0x61, 0x02),
    ...read(0x61, "port 0x61 with the gate shut", 0x0f),
  ],
  "the serial port: registers, loopback and interrupts": [
    ...out(SERIAL + 3, 0x83),
    ...out(SERIAL, 0x0c),
    ...out(SERIAL + 1, 0x01),
    ...read(SERIAL, "DLL"),
    ...read(SERIAL + 1, "DLM"),
    ...read(SERIAL + 3, "LCR"),
    ...out(SERIAL + 1, 0x00),
    ...out(SERIAL, 0x01),
    ...out(SERIAL + 3, 0x03),
    ...out(SERIAL + 7, 0xa5),
    ...read(SERIAL + 7, "SCR"),
    ...out(SERIAL + 1, 0xff),
    ...read(SERIAL + 1, "IER"),
    ...out(SERIAL + 1, 0x00),
    ...out(SERIAL + 4, 0x0b),
    ...read(SERIAL + 4, "MCR"),
    ...read(SERIAL + 5, "LSR"),
    ...read(SERIAL + 6, "MSR"),
    ...read(SERIAL + 2, "IIR without FIFOs"),
    ...out(SERIAL + 2, 0x07),
    ...read(SERIAL + 2, "IIR with FIFOs"),
    ...out(SERIAL + 2, 0x00),
    // Loopback, one character deep.
    ...out(SERIAL + 4, 0x10),
    ...out(SERIAL, 0x41),
    ...read(SERIAL + 5, "LSR with one character"),
    ...out(SERIAL, 0x42),
    ...read(SERIAL + 5, "LSR with an overrun"),
    ...read(SERIAL + 5, "LSR, the overrun told"),
    ...read(SERIAL, "RBR, overwritten"),
    ...read(SERIAL + 5, "LSR, empty"),
    // Loopback through the FIFO.
    ...out(SERIAL + 2, 0xc7),
    ...Array.from({ length: 17 }, (_, byte) => out(SERIAL, 0x61 + byte)).flat(),
    ...read(SERIAL + 5, "LSR with an overrun of the FIFO"),
    ...Array.from({ length: 16 }, (_, byte) => read(SERIAL, `character ${byte} of the FIFO`)).flat(),
    ...read(SERIAL + 5, "LSR, FIFO empty"),
    ...[0x11, 0x12, 0x14, 0x18, 0x1f].flatMap(mcr => [
      ...out(SERIAL + 4, mcr),
      ...read(SERIAL + 6, `MSR in loopback, MCR ${mcr.toString(16)}`, 0xf0),
    ]),
    // Interrupts: at the trigger level, below it, and the transmitter's.
    ...out(SERIAL + 4, 0x18),
    ...out(SERIAL + 2, 0x47),
    ...out(SERIAL + 1, 0x05),
    ...out(SERIAL, 0x61, 0x62, 0x63),
    ...out(SERIAL, 0x64),
    ...read(SERIAL + 2, "IIR at four characters"),
    ...read(SERIAL, "the first"),
    ...read(SERIAL, "the second"),
    ...awaitBits(SERIAL + 2, 0xff, 0xcc),
    ...read(SERIAL, "the third"),
    ...read(SERIAL + 2, "IIR, the time begins anew"),
    ...read(SERIAL, "the fourth"),
    ...out(SERIAL + 1, 0x02),
    ...read(SERIAL + 2, "IIR, transmitter empty"),
    ...read(SERIAL + 2, "IIR, told"),
    ...out(SERIAL, 0x7a),
    ...read(SERIAL + 2, "IIR, empty again"),
    ...out(SERIAL + 1, 0x00),
    ...out(SERIAL + 2, 0x00),
  ],
  "the keyboard controller": [
    ...out(KEYBOARD + 4, 0xaa),
    ...awaitBits(KEYBOARD + 4, 0x01, 0x01),
    ...read(KEYBOARD, "self-test"),
    ...out(KEYBOARD + 4, 0xab),
    ...awaitBits(KEYBOARD + 4, 0x01, 0x01),
    ...read(KEYBOARD, "interface test"),
    ...out(KEYBOARD + 4, 0x60),
    ...out(KEYBOARD, 0x65),
    ...out(KEYBOARD + 4, 0x20),
    ...awaitBits(KEYBOARD + 4, 0x01, 0x01),
    ...read(KEYBOARD, "configuration"),
    ...out(KEYBOARD + 4, 0xd1),
    ...out(KEYBOARD, 0xdd),
    ...read(0x92, "A20 shut, seen at port 0x92", 0x02),
    ...out(0x92, 0x02),
    ...read(0x92, "A20 open", 0x02),
    ...out(KEYBOARD + 4, 0xd3),
    ...out(KEYBOARD, 0x77),
    ...awaitBits(KEYBOARD + 4, 0x21, 0x21),
    ...read(KEYBOARD, "the auxiliary loop"),
    ...out(KEYBOARD, 0xee),
    ...awaitBits(KEYBOARD + 4, 0x01, 0x01),
    ...read(KEYBOARD, "echo"),
    ...out(KEYBOARD, 0xf2),
    ...[1, 2, 3].flatMap(byte => [
      ...awaitBits(KEYBOARD + 4, 0x01, 0x01),
      ...read(KEYBOARD, `byte ${byte} of the keyboard's identity`),
    ]),
    ...read(KEYBOARD + 4, "status when all is read", 0x21),
  ],
  "the real-time clock": [
    ...[0x32, 0x09, 0x08, 0x07, 0x06, 0x04, 0x02].flatMap(index => [
      ...out(RTC, index),
      ...read(RTC + 1, `index ${index.toString(16)}`),
    ]),
    ...out(RTC, 0x0d),
    ...read(RTC + 1, "register D"),
    ...out(RTC, 0x0b),
    ...out(RTC + 1, 0x82), // SET: write a time just before the end of a leap day
    ...[
      [0x00, 0x59],
      [0x02, 0x59],
      [0x04, 0x23],
      [0x06, 0x03],
      [0x07, 0x29],
      [0x08, 0x02],
      [0x09, 0x28],
    ].flatMap(([index, value]) => [...out(RTC, index!), ...out(RTC + 1, value!)]),
    ...out(RTC, 0x0b),
    ...out(RTC + 1, 0x02),
    ...read(RTC + 1, "register B"),
    ...out(RTC, 0x00),
    ...sleepUntil(RTC + 1, 0xff, 0x00),
    ...read(RTC + 1, "seconds after midnight"),
    ...[0x02, 0x04, 0x07, 0x08, 0x09, 0x06].flatMap(index => [
      ...out(RTC, index),
      ...read(RTC + 1, `index ${index.toString(16)} after midnight`),
    ]),
    ...out(RTC, 0x0c),
    ...read(RTC + 1, "register C asks for no interrupt", 0x80),
  ],
};

const qemu = requires("qemu");
const nasm = requires("nasm");
const options = qemu.available ? nasm.options : qemu.options;

describe("our devices and QEMU's read the same", () => {
  for (const [name, accesses] of Object.entries(SCRIPTS)) {
    it(name, options, () => {
      const image = replayImage(accesses);
      expect(named(accesses, replayHere(accesses))).toEqual(named(accesses, replayOnQemu(image)));
    });
  }
});

describe("our devices read the same behind an engine", () => {
  for (const engine of ["soft", "kvm"] as const) {
    it(engine, engine === "kvm" ? requires("kvm").options : nasm.options, async () => {
      const accesses = Object.values(SCRIPTS).flat();
      expect(await replayOnEngine(engine, replayImage(accesses))).toEqual(replayHere(accesses));
    });
  }
});

/** The accesses on our devices, without a processor. */
function replayHere(accesses: readonly Access[]): number[] {
  const clock = new ManualClock();
  const { ports, reported } = mainboard(clock);
  const step = <Value>(access: () => Value): Value => {
    clock.advance(ACCESS_NANOSECONDS);
    return access();
  };
  for (const access of accesses) {
    const { port } = access;
    if (access.do === "out") step(() => ports.write(port, 1, access.value));
    else if (access.do === "in") reported.push(step(() => ports.read(port, 1)) & access.mask);
    else {
      const came = awaitHere(() => (step(() => ports.read(port, 1)) & access.mask) === access.value);
      if (access.do === "await") reported.push(came);
    }
    // The guest's report is an access, too.
    if (access.do === "in" || access.do === "await") clock.advance(ACCESS_NANOSECONDS);
  }
  return reported;
}

function awaitHere(hasCome: () => boolean): number {
  for (let tries = 0; tries < 0xffff; tries++) if (hasCome()) return 0;
  return 0xff;
}

/** The image on an engine: the same guest that QEMU runs. */
async function replayOnEngine(name: EngineName, image: Uint8Array): Promise<number[]> {
  const hypervisor = await openEngine(name);
  try {
    const vm = hypervisor.createVm();
    const memory = new GuestMemory(vm, hypervisor.allocateMemory(image.length));
    memory.map(0, 0xf_0000, image.length);
    memory.load("the replaying guest", image, 0xf_0000);
    const vcpu = vm.createVcpu(0);
    const sregs = vcpu.getSregs();
    sregs.cs.selector = 0xf000;
    sregs.cs.base = 0xf_0000n;
    vcpu.setSregs(sregs);
    vcpu.setRegs({ ...vcpu.getRegs(), rip: 0xfff0n, rflags: 2n });
    const clock = new ManualClock();
    const { ports, reported, hasExited } = mainboard(clock);
    while (!hasExited()) {
      const exit = vcpu.run();
      clock.advance(ACCESS_NANOSECONDS);
      if (!handleExit(exit, { ports, mmio: new Bus() }))
        throw new Error(`the guest ended with ${exit.reason}`);
    }
    return reported;
  } finally {
    hypervisor.close();
  }
}
