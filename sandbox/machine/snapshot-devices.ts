/** The devices' part of a save file: their registers, and which cards the machine has. */
import {
  STATUS_FEATURES_OK,
  type VirtioDevice,
  type VirtioDeviceState,
} from "#layers/07-virtio-net/virtio-device.ts";
import type { VirtioMmioState } from "#layers/07-virtio-net/virtio-mmio.ts";
import type { VirtioNetState } from "#layers/07-virtio-net/virtio-net.ts";
import { SnapshotStore } from "../devices/virtio-blk-store.ts";
import type { Cards, DiskCard, NetworkCard } from "./cards.ts";
import type { Devices } from "./mainboard.ts";

export type DeviceStates = { readonly [Name in keyof Devices]: ReturnType<Devices[Name]["save"]> };

interface NetworkState {
  readonly mac: string;
  /** The registers of virtio-mmio; null for a card in a PCI slot. */
  readonly mmio: VirtioMmioState | null;
  readonly state: VirtioNetState;
  /** What the network behind the card remembers, its own business; null if it has no memory. */
  readonly backend: unknown;
}

interface DiskState {
  /** Bytes. What is in them is not saved, but for what a snapshot store holds. */
  readonly size: number;
  readonly isReadOnly: boolean;
  /** The chunks that a snapshot store has changed; null for any other store. Their bytes are apart. */
  readonly changed: readonly number[] | null;
  readonly state: VirtioDeviceState;
}

export interface CardStates {
  readonly network: NetworkState | null;
  readonly disks: readonly DiskState[];
  readonly entropy: VirtioDeviceState | null;
}

// #region devices
export function saveDevices(devices: Devices): DeviceStates {
  return {
    pics: devices.pics.save(),
    pit: devices.pit.save(),
    speaker: devices.speaker.save(),
    keyboard: devices.keyboard.save(),
    rtc: devices.rtc.save(),
    serial: devices.serial.save(),
    systemControl: devices.systemControl.save(),
    resetControl: devices.resetControl.save(),
    pci: devices.pci.save(),
    power: devices.power.save(),
  };
}

/** The cards' states go first: the interrupt controllers are restored after all that drive their inputs. */
export function restoreDevices(devices: Devices, states: DeviceStates): void {
  devices.pit.restore(states.pit);
  devices.speaker.restore(states.speaker);
  devices.keyboard.restore(states.keyboard);
  devices.rtc.restore(states.rtc);
  devices.serial.restore(states.serial);
  devices.systemControl.restore(states.systemControl);
  devices.resetControl.restore(states.resetControl);
  devices.pci.restore(states.pci);
  devices.power.restore(states.power);
  devices.pics.restore(states.pics);
}
// #endregion devices

// #region cards
/** Saves the cards, and the changed chunks of all disks, in their order. */
export function saveCards({ network, disks, entropy }: Cards): { states: CardStates; chunks: Uint8Array[] } {
  const chunks: Uint8Array[] = [];
  const states: CardStates = {
    network: network && {
      mac: network.mac,
      mmio: network.mmio?.save() ?? null,
      state: network.device.save(),
      backend: network.backend.save?.() ?? null,
    },
    disks: disks.map(({ device, store }) => {
      const changes = store instanceof SnapshotStore ? store.save().chunks : null;
      for (const { bytes } of changes ?? []) chunks.push(Uint8Array.from(bytes));
      return {
        size: store.size,
        isReadOnly: store.isReadOnly,
        changed: changes?.map(({ index }) => index) ?? null,
        state: device.save(),
      };
    }),
    entropy: entropy?.save() ?? null,
  };
  return { states, chunks };
}

/** `takeChunk` gives the bytes of one changed chunk after the other. */
export function restoreCards(cards: Cards, states: CardStates, takeChunk: () => Uint8Array): void {
  const { network, disks, entropy } = cards;
  if (network && states.network) {
    const { state, mmio, backend } = states.network;
    network.device.restore(state);
    if (mmio) network.mmio?.restore(mmio);
    if (backend !== null) network.backend.restore?.(backend);
  }
  disks.forEach(({ device, store }, index) => {
    const { size, changed, state } = states.disks[index]!;
    device.restore(state);
    const chunks = (changed ?? []).map(at => ({ index: at, bytes: [...takeChunk()] }));
    if (store instanceof SnapshotStore) store.restore({ size, chunks });
  });
  if (states.entropy) entropy?.restore(states.entropy);
}
// #endregion cards

// #region comparison
/** What keeps a machine with these cards from going on where the saved one stood, in a sentence; or null. */
export function cardMismatch(cards: Cards, states: CardStates): string | null {
  return (
    networkMismatch(cards.network, states.network) ??
    disksMismatch(cards.disks, states.disks) ??
    entropyMismatch(cards, states)
  );
}

function networkMismatch(card: NetworkCard | null, saved: NetworkState | null): string | null {
  const has = card && describeNetwork(card.mac, card.mmio !== null);
  const had = saved && describeNetwork(saved.mac, saved.mmio !== null);
  if (has !== had) {
    return `this machine was saved with ${had ?? "no network card"}, and it now has ${has ?? "none"}`;
  }
  return card && saved ? featureMismatch("network card", card.device, saved.state.device) : null;
}

function describeNetwork(mac: string, isMmio: boolean): string {
  return `the network card ${mac} ${isMmio ? "over virtio-mmio" : "in a PCI slot"}`;
}

function disksMismatch(cards: readonly DiskCard[], saved: readonly DiskState[]): string | null {
  if (cards.length !== saved.length) {
    return `this machine was saved with ${saved.length} disks, and it now has ${cards.length}`;
  }
  for (const [index, { size, isReadOnly, changed, state }] of saved.entries()) {
    const { store, device } = cards[index]!;
    const name = `disk ${index + 1}`;
    if (store.size !== size) {
      return `${name} had ${size} bytes when this machine was saved, and it now has ${store.size}`;
    }
    if (store.isReadOnly !== isReadOnly) {
      return `${name} could ${isReadOnly ? "only be read" : "be written"} when this machine was saved`;
    }
    if (changed && !(store instanceof SnapshotStore)) {
      return `the changes to ${name} were kept in the save file: it can only go on with a snapshot over it`;
    }
    const mismatch = featureMismatch(name, device, state);
    if (mismatch) return mismatch;
  }
  return null;
}

function entropyMismatch(cards: Cards, states: CardStates): string | null {
  if ((cards.entropy === null) === (states.entropy === null)) return null;
  return `this machine was saved ${states.entropy ? "with" : "without"} a source of entropy`;
}

/** A driver goes on using what it negotiated, so the device must still offer that. */
function featureMismatch(name: string, device: VirtioDevice, state: VirtioDeviceState): string | null {
  if (!(state.status & STATUS_FEATURES_OK)) return null;
  const isOffered = state.driverFeatures.every((bits, word) => (bits & ~device.offeredFeatures(word)) === 0);
  return isOffered ? null : `the guest's driver uses features of its ${name} that this one does not have`;
}
// #endregion comparison
