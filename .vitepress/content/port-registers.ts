/** What the reference page says of each device on the port bus, by the name under which it is registered. */
export interface PortNote {
  /** What its ports are, from the first on. */
  readonly registers: string;
  /** Where it is written. */
  readonly file: string;
  /** The page that tells of it. */
  readonly page?: string;
}

const CHAPTER_4 = "/chapters/04-interrupts";

export const PORT_NOTES: Readonly<Record<string, PortNote>> = {
  "PIC, master": {
    registers: "ICW1, OCW2, OCW3 and status; ICW2 to ICW4 and the mask",
    file: "solutions/04-interrupts/pic.ts",
    page: CHAPTER_4,
  },
  PIT: {
    registers: "counters 0, 1 and 2; control word",
    file: "solutions/05-pit/pit.ts",
    page: "/chapters/05-pit",
  },
  "keyboard data": {
    registers: "data of keyboard and mouse",
    file: "sandbox/devices/keyboard-controller.ts",
  },
  speaker: {
    registers: "gate of counter 2, speaker, and what can be read of both",
    file: "sandbox/devices/speaker-port.ts",
    page: "/chapters/05-pit",
  },
  "keyboard command": {
    registers: "command, status",
    file: "sandbox/devices/keyboard-controller.ts",
  },
  RTC: { registers: "index; data", file: "sandbox/devices/rtc.ts" },
  "system control A": {
    registers: "A20 gate (bit 1), reset (bit 0)",
    file: "sandbox/devices/reset-control.ts",
  },
  "PIC, slave": {
    registers: "as the master’s",
    file: "solutions/04-interrupts/pic.ts",
    page: CHAPTER_4,
  },
  "debug console": {
    registers: "a character to print; reads 0xe9",
    file: "sandbox/devices/debug-console.ts",
  },
  "debug exit": { registers: "ends the machine with an exit code", file: "sandbox/devices/debug-exit.ts" },
  COM1: {
    registers: "RBR, THR, DLL; IER, DLM; IIR, FCR; LCR; MCR; LSR; MSR; SCR",
    file: "solutions/06-serial/uart.ts",
    page: "/chapters/06-serial",
  },
  ELCR: { registers: "edge or level, a bit for each IRQ", file: "sandbox/devices/elcr.ts" },
  "ACPI power management": {
    registers: "PM1 status, enable, control; PM timer",
    file: "sandbox/devices/acpi-power.ts",
  },
  "PCI configuration, reset control": {
    registers: "configuration address, reset control (at +1); configuration data from +4 on",
    file: "sandbox/devices/pci-host.ts",
  },
};
