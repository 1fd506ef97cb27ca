/** What every PC has: the devices of its mainboard, their interrupts and their ports. */
import type { Bus, Clock, IrqLine, PortDevice } from "#layers/01-minimal-vm/bus.ts";
import { PicPair } from "#layers/04-interrupts/pic.ts";
import { Pit } from "#layers/05-pit/pit.ts";
import { Uart } from "#layers/06-serial/uart.ts";
import { AcpiPower } from "../devices/acpi-power.ts";
import { ACPI_PORT_COUNT, ACPI_PORTS, SCI } from "../devices/acpi-tables.ts";
import { ByteWide } from "../devices/byte-wide.ts";
import { DebugConsole } from "../devices/debug-console.ts";
import { DebugExit } from "../devices/debug-exit.ts";
import { ElcrRegisters } from "../devices/elcr.ts";
import { KeyboardController } from "../devices/keyboard-controller.ts";
import { PciHost } from "../devices/pci-host.ts";
import { type A20Gate, ResetControl, SystemControlA } from "../devices/reset-control.ts";
import { RealTimeClock } from "../devices/rtc.ts";
import { SpeakerPort } from "../devices/speaker-port.ts";

/** Guest-physical addresses, in bytes, of the memory of PCI functions. */
export const PCI_WINDOW = { start: 0xe000_0000, length: 0x1000_0000 } as const;
/** What the pins INTA# of the PCI slots are wired to, in turn. Both are inputs of the slave. */
export const PCI_INTERRUPTS = [10, 11] as const;
const LEVEL_TRIGGERED = [SCI, ...PCI_INTERRUPTS].reduce((mask, irq) => mask | (1 << (irq - 8)), 0);

/** The devices that have a state, by the names that a save file uses. */
export interface Devices {
  readonly pics: PicPair;
  readonly pit: Pit;
  readonly speaker: SpeakerPort;
  readonly keyboard: KeyboardController;
  readonly rtc: RealTimeClock;
  readonly serial: Uart;
  readonly systemControl: SystemControlA;
  readonly resetControl: ResetControl;
  readonly pci: PciHost;
  readonly power: AcpiPower;
}

export interface MainboardOptions {
  readonly clock: Clock;
  readonly a20: A20Gate;
  /** INTR, the processor's pin that the interrupt controllers drive. */
  readonly intr: IrqLine;
  /** Bytes of RAM, for the CMOS memory to tell. */
  readonly memorySize: number;
  /** What the RTC shows at guest time 0, in milliseconds since 1970. */
  readonly startDate: number;
  readonly serialOutput: (byte: number) => void;
  readonly reset: () => void;
  readonly powerOff: () => void;
}

export function makeDevices(options: MainboardOptions): Devices {
  const { clock, a20, reset } = options;
  const pics = new PicPair(options.intr);
  // As firmware leaves it: what comes from PCI and ACPI is level triggered.
  pics.slave.elcr = LEVEL_TRIGGERED;
  const pit = new Pit(clock, pics.line(0));
  const resetControl = new ResetControl(reset);
  return {
    pics,
    pit,
    speaker: new SpeakerPort(pit, clock),
    keyboard: new KeyboardController({
      keyboardIrq: pics.line(1),
      auxiliaryIrq: pics.line(12),
      a20,
      reset,
    }),
    rtc: new RealTimeClock({
      clock,
      irq: pics.line(8),
      start: options.startDate,
      memory: options.memorySize,
    }),
    serial: new Uart({ clock, irq: pics.line(4), peer: { transmit: options.serialOutput } }),
    systemControl: new SystemControlA(a20, reset),
    resetControl,
    pci: new PciHost({
      window: PCI_WINDOW,
      interrupts: PCI_INTERRUPTS.map(number => ({ number, line: pics.line(number) })),
      resetControl,
    }),
    power: new AcpiPower(clock, pics.line(SCI), options.powerOff),
  };
}

/** What the ports without a state of their own do. */
export interface DebugPorts {
  readonly output: (byte: number) => void;
  readonly exit: (code: number) => void;
}

/** The port map of a PC. */
export function plugMainboard(ports: Bus, devices: Devices, debug: DebugPorts): void {
  const { pics, pit, speaker, keyboard, rtc, serial, systemControl, pci, power } = devices;
  const keyboardCommand: PortDevice = {
    read: () => keyboard.read(4),
    write: (_offset, size, value) => keyboard.write(4, size, value),
  };
  ports.register("PIC, master", 0x20, 2, new ByteWide(pics.master));
  ports.register("PIT", 0x40, 4, new ByteWide(pit));
  ports.register("keyboard data", 0x60, 1, keyboard);
  ports.register("speaker", 0x61, 1, speaker);
  ports.register("keyboard command", 0x64, 1, keyboardCommand);
  ports.register("RTC", 0x70, 2, new ByteWide(rtc));
  ports.register("system control A", 0x92, 1, systemControl);
  ports.register("PIC, slave", 0xa0, 2, new ByteWide(pics.slave));
  ports.register("debug console", 0xe9, 1, new DebugConsole(debug.output));
  ports.register("debug exit", 0xf4, 4, new DebugExit(debug.exit));
  ports.register("COM1", 0x3f8, 8, new ByteWide(serial));
  ports.register("ELCR", 0x4d0, 2, new ByteWide(new ElcrRegisters(pics)));
  ports.register("ACPI power management", ACPI_PORTS, ACPI_PORT_COUNT, power);
  ports.register("PCI configuration, reset control", 0xcf8, 8, pci);
}
