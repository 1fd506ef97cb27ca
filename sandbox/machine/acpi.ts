/**
 * The machine as ACPI tells an operating system of it: the namespace in the DSDT, and where the tables lie.
 *
 * A kernel that finds no tables takes the machine for a PC of 1995 and works as well, but it cannot switch
 * such a PC off.
 */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import {
  type Aml,
  busNumbers,
  device,
  eisaId,
  fixedMemory,
  integer,
  ioPorts,
  isaInterrupt,
  memoryWindow,
  name,
  packageOf,
  resources,
  scope,
  text,
} from "../devices/acpi-aml.ts";
import { SLEEP_TYPE_OFF } from "../devices/acpi-power.ts";
import { acpiTables } from "../devices/acpi-tables.ts";
import { type Cards, NET_MMIO } from "./cards.ts";
import { PCI_INTERRUPTS, PCI_WINDOW } from "./mainboard.ts";

/** Within the memory that all maps of memory leave to firmware, and where every kernel looks. */
export const ACPI_TABLES = { address: 0xf_0000, size: 0x1000 } as const;

const PCI_SLOTS = 32;

export function placeAcpiTables(memory: GuestMemory, cards: Cards): void {
  memory.load("the ACPI tables", acpiTables(ACPI_TABLES.address, namespace(cards)), ACPI_TABLES.address);
}

function namespace({ network }: Cards): Aml {
  const devices = [PCI_BRIDGE, COM1, KEYBOARD, MOUSE, RTC];
  if (network?.mmio) devices.push(NETWORK_CARD);
  return [scope("\\_SB", ...devices), SOFT_OFF].flat();
}

/** \_S5: the values of SLP_TYP in PM1a_CNT and PM1b_CNT that switch the machine off. */
const SOFT_OFF = name(
  "\\_S5",
  packageOf(integer(SLEEP_TYPE_OFF), integer(SLEEP_TYPE_OFF), integer(0), integer(0)),
);

/** Which interrupt INTA# of each slot is wired to; 0xffff stands for all functions of it (6.2.13). */
const PCI_ROUTES = Array.from({ length: PCI_SLOTS - 1 }, (_, at) => at + 1).map(slot =>
  packageOf(
    integer(slot * 0x1_0000 + 0xffff),
    integer(0), // INTA#
    integer(0), // wired for good, by no link device
    integer(PCI_INTERRUPTS[slot % PCI_INTERRUPTS.length]!),
  ),
);

const PCI_BRIDGE = device(
  "PCI0",
  name("_HID", eisaId("PNP0A03")),
  name("_UID", integer(0)),
  name("_BBN", integer(0)),
  name(
    "_CRS",
    resources(busNumbers(0, 0), ioPorts(0xcf8, 8), memoryWindow(PCI_WINDOW.start, PCI_WINDOW.length)),
  ),
  name("_PRT", packageOf(...PCI_ROUTES)),
);

const COM1 = device(
  "COM1",
  name("_HID", eisaId("PNP0501")), // 16550A
  name("_UID", integer(1)),
  name("_CRS", resources(ioPorts(0x3f8, 8), isaInterrupt(4))),
);

const KEYBOARD = device(
  "KBD",
  name("_HID", eisaId("PNP0303")),
  name("_CRS", resources(ioPorts(0x60, 1), ioPorts(0x64, 1), isaInterrupt(1))),
);

/** The second port of the keyboard controller, whose ports stand with the keyboard. */
const MOUSE = device("MOU", name("_HID", eisaId("PNP0F13")), name("_CRS", resources(isaInterrupt(12))));

const RTC = device(
  "RTC",
  name("_HID", eisaId("PNP0B00")),
  name("_CRS", resources(ioPorts(0x70, 2), isaInterrupt(8))),
);

/** The card outside of PCI, by the ID that Linux's driver for virtio-mmio knows. */
const NETWORK_CARD = device(
  "NET0",
  name("_HID", text("LNRO0005")),
  name("_UID", integer(0)),
  name("_CRS", resources(fixedMemory(NET_MMIO.address, NET_MMIO.size), isaInterrupt(NET_MMIO.irq))),
);
