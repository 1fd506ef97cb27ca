/**
 * What can be plugged into the machine: a network card, disks, a source of entropy. All of them are virtio
 * devices, behind PCI; the network card alternatively behind the registers of virtio-mmio.
 */
import type { Bus, Clock } from "#layers/01-minimal-vm/bus.ts";
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import type { VirtioDevice } from "#layers/07-virtio-net/virtio-device.ts";
import { VIRTIO_MMIO_SIZE, VirtioMmio } from "#layers/07-virtio-net/virtio-mmio.ts";
import { VirtioNet } from "#layers/07-virtio-net/virtio-net.ts";
import { VirtioBlk } from "../devices/virtio-blk.ts";
import type { BlockStore } from "../devices/virtio-blk-store.ts";
import { VirtioPci } from "../devices/virtio-pci.ts";
import { VirtioRng } from "../devices/virtio-rng.ts";
import { type Devices, PCI_WINDOW } from "./mainboard.ts";

/** Where the network card is without PCI: guest-physical address and interrupt. */
export const NET_MMIO = { address: 0xd000_0000, size: VIRTIO_MMIO_SIZE, irq: 5 } as const;

export interface NetworkOptions {
  /** What the card hangs on; a network that keeps time is made on the machine's clock. */
  readonly backend: NetBackend | ((clock: Clock) => NetBackend);
  /** As in `52:54:00:12:34:56`. */
  readonly mac: string;
  readonly transport: "mmio" | "pci";
}

export interface CardOptions {
  /** None: no card. */
  readonly network?: NetworkOptions;
  /** Each becomes a virtio disk. The stores stay the caller's to close. */
  readonly disks?: readonly BlockStore[];
  /** Fills an array with random bytes, good enough for keys; without it there is no source of entropy. */
  readonly entropy?: (bytes: Uint8Array) => void;
}

export interface NetworkCard {
  readonly device: VirtioNet;
  readonly backend: NetBackend;
  readonly mac: string;
  /** The registers, if they are those of virtio-mmio; null for a card in a PCI slot. */
  readonly mmio: VirtioMmio | null;
}

export interface DiskCard {
  readonly device: VirtioBlk;
  readonly store: BlockStore;
}

export interface Cards {
  readonly network: NetworkCard | null;
  readonly disks: readonly DiskCard[];
  readonly entropy: VirtioRng | null;
}

/** Makes the cards and plugs them in: PCI slots in the order network, disks, entropy. */
export function plugCards(
  options: CardOptions,
  clock: Clock,
  memory: GuestMemory,
  mmio: Bus,
  devices: Devices,
): Cards {
  const { network, disks = [], entropy } = options;
  mmio.register("PCI window", PCI_WINDOW.start, PCI_WINDOW.length, devices.pci.window);
  const plug = <T extends VirtioDevice>(device: T): T => {
    devices.pci.plug(new VirtioPci(device));
    return device;
  };
  const connect = ({ backend }: NetworkOptions) => (typeof backend === "function" ? backend(clock) : backend);
  return {
    network: network ? plugNetwork(network, connect(network), memory, mmio, devices, plug) : null,
    disks: disks.map((store, index) => ({
      device: plug(new VirtioBlk({ memory, store, id: `vmexit-disk-${index}` })),
      store,
    })),
    entropy: entropy ? plug(new VirtioRng(memory, entropy)) : null,
  };
}

function plugNetwork(
  { mac, transport }: NetworkOptions,
  backend: NetBackend,
  memory: GuestMemory,
  mmio: Bus,
  { pics }: Devices,
  plug: (device: VirtioNet) => VirtioNet,
): NetworkCard {
  const device = new VirtioNet({ memory, mac, backend });
  if (transport === "pci") return { device: plug(device), backend, mac, mmio: null };
  const registers = new VirtioMmio(device, pics.line(NET_MMIO.irq));
  mmio.register("network card", NET_MMIO.address, NET_MMIO.size, registers);
  return { device, backend, mac, mmio: registers };
}
