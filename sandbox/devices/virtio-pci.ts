/**
 * virtio-pci: a virtio device as a PCI function, after the standard ("modern"), with INTA#.
 *
 * BAR 0 has four structures, told of by vendor capabilities:
 *
 *     0x0000 common configuration    0x1000 interrupt status    0x2000 device configuration
 *     0x3000 notification, 4 bytes a queue
 *
 * Source: VIRTIO 1.2, 4.1 "Virtio Over PCI Bus".
 */
import type { MmioDevice } from "#layers/01-minimal-vm/bus.ts";
import type { VirtioDevice } from "#layers/07-virtio-net/virtio-device.ts";
import type { QueueArea } from "#layers/07-virtio-net/virtqueue.ts";
import { PciFunction, type PciFunctionState } from "./pci-function.ts";

const VENDOR = 0x1af4;
const DEVICE_BASE = 0x1040;
const SUBSYSTEM = 0x1100;

export const BAR_SIZE = 0x4000;
const COMMON_AT = 0x0000;
const ISR_AT = 0x1000;
const DEVICE_AT = 0x2000;
const NOTIFY_AT = 0x3000;
const STRUCTURE_SIZE = 0x1000;
const NOTIFY_MULTIPLIER = 4;

const CAPABILITY_VENDOR = 0x09;
const CFG_COMMON = 1;
const CFG_NOTIFY = 2;
const CFG_ISR = 3;
const CFG_DEVICE = 4;
const CFG_PCI = 5;

/** The window of configuration space into BAR 0, the last capability: 16 bytes and then its data. */
const PCI_CFG_AT = 0x40 + 16 + 20 + 16 + 16;
const PCI_CFG_OFFSET = PCI_CFG_AT + 8;
const PCI_CFG_LENGTH = PCI_CFG_AT + 12;
const PCI_CFG_DATA = PCI_CFG_AT + 16;

/** Offsets in the common configuration (4.1.4.3). */
const DEVICE_FEATURE_SELECT = 0;
const DEVICE_FEATURE = 4;
const DRIVER_FEATURE_SELECT = 8;
const DRIVER_FEATURE = 12;
const CONFIG_MSIX_VECTOR = 16;
const NUM_QUEUES = 18;
const DEVICE_STATUS = 20;
const CONFIG_GENERATION = 21;
const QUEUE_SELECT = 22;
const QUEUE_SIZE = 24;
const QUEUE_MSIX_VECTOR = 26;
const QUEUE_ENABLE = 28;
const QUEUE_NOTIFY_OFF = 30;
const QUEUE_ADDRESSES = 32; // three of 8 bytes
const QUEUE_NOTIFY_DATA = 56;
const QUEUE_RESET = 58;

const AREAS: readonly QueueArea[] = ["descriptorTable", "availableRing", "usedRing"];
const NO_VECTOR = 0xffff;

/** PCI classes by virtio device ID; others are called "other". */
const CLASSES: Readonly<Record<number, number>> = { 1: 0x02_0000, 2: 0x01_8000 };
const CLASS_OTHER = 0xff_0000;

export interface VirtioPciState {
  deviceFeatureSelect: number;
  driverFeatureSelect: number;
  queueSelect: number;
}

export class VirtioPci extends PciFunction {
  readonly device: VirtioDevice;
  readonly #bar: MmioDevice;
  #selects: VirtioPciState = { deviceFeatureSelect: 0, driverFeatureSelect: 0, queueSelect: 0 };

  constructor(device: VirtioDevice) {
    const bar: MmioDevice = {
      read: (offset, size) => this.#read(offset, size),
      write: (offset, size, value) => this.#write(offset, size, value),
    };
    super({
      vendor: VENDOR,
      device: DEVICE_BASE + device.deviceId,
      revision: 1,
      classCode: CLASSES[device.deviceId] ?? CLASS_OTHER,
      subsystemVendor: VENDOR,
      subsystem: SUBSYSTEM,
      hasInterrupt: true,
      bar: { size: BAR_SIZE, device: bar },
      capabilities: [
        capability(CFG_COMMON, COMMON_AT),
        capability(CFG_NOTIFY, NOTIFY_AT, NOTIFY_MULTIPLIER),
        capability(CFG_ISR, ISR_AT),
        capability(CFG_DEVICE, DEVICE_AT),
        capability(CFG_PCI, 0, 0),
      ],
    });
    this.device = device;
    this.#bar = bar;
    this.makeWritable(PCI_CFG_AT + 4, 1);
    this.makeWritable(PCI_CFG_OFFSET, 8);
    device.connect(this.pin);
  }

  /** The last capability's data is a window: reading it reads BAR 0 (4.1.4.9). */
  override readConfiguration(offset: number, size: 1 | 2 | 4): number {
    const window = offset === PCI_CFG_DATA ? this.#window : null;
    return window ? this.#bar.read(window.offset, window.size) : super.readConfiguration(offset, size);
  }

  override writeConfiguration(offset: number, size: 1 | 2 | 4, value: number): void {
    const window = offset === PCI_CFG_DATA ? this.#window : null;
    if (window) this.#bar.write(window.offset, window.size, value % 2 ** (8 * window.size));
    else super.writeConfiguration(offset, size, value);
  }

  get #window(): { offset: number; size: 1 | 2 | 4 } | null {
    const offset = super.readConfiguration(PCI_CFG_OFFSET, 4);
    const size = super.readConfiguration(PCI_CFG_LENGTH, 4);
    if (this.configuration[PCI_CFG_AT + 4] !== 0 || offset + size > BAR_SIZE) return null;
    return (size === 1 || size === 2 || size === 4) && offset % size === 0 ? { offset, size } : null;
  }

  #read(offset: number, size: 1 | 2 | 4): number {
    const at = offset % STRUCTURE_SIZE;
    switch (offset - at) {
      case COMMON_AT:
        return this.#readCommon(at, size);
      case ISR_AT:
        return at === 0 ? this.#takeInterrupt() : 0;
      case DEVICE_AT:
        return this.device.readConfiguration(at, size);
      default:
        return 0;
    }
  }

  #write(offset: number, size: 1 | 2 | 4, value: number): void {
    const at = offset % STRUCTURE_SIZE;
    switch (offset - at) {
      case COMMON_AT:
        this.#writeCommon(at, size, value);
        break;
      case DEVICE_AT:
        this.device.writeConfiguration(at, size, value);
        break;
      case NOTIFY_AT:
        this.device.notify(Math.floor(at / NOTIFY_MULTIPLIER));
    }
  }

  /** Reading the interrupt status acknowledges it (4.1.4.5). */
  #takeInterrupt(): number {
    const causes = this.device.interruptStatus;
    this.device.acknowledgeInterrupt(causes);
    return causes;
  }

  /** A field is read in its own size; 64-bit ones in halves. Anything else reads 0. */
  #readCommon(at: number, size: 1 | 2 | 4): number {
    if (size !== fieldSize(at)) return 0;
    const { device } = this;
    const { deviceFeatureSelect, driverFeatureSelect, queueSelect } = this.#selects;
    const queue = device.queues[queueSelect];
    switch (at) {
      case DEVICE_FEATURE_SELECT:
        return deviceFeatureSelect;
      case DEVICE_FEATURE:
        return device.offeredFeatures(deviceFeatureSelect);
      case DRIVER_FEATURE_SELECT:
        return driverFeatureSelect;
      case DRIVER_FEATURE:
        return device.driverFeatures(driverFeatureSelect);
      case CONFIG_MSIX_VECTOR:
      case QUEUE_MSIX_VECTOR:
        return NO_VECTOR;
      case NUM_QUEUES:
        return device.queues.length;
      case DEVICE_STATUS:
        return device.status;
      case CONFIG_GENERATION:
        return device.configurationGeneration;
      case QUEUE_SELECT:
        return queueSelect;
      case QUEUE_SIZE:
        return queue ? queue.setup.size & 0xffff : 0;
      case QUEUE_ENABLE:
        return queue?.isReady ? 1 : 0;
      case QUEUE_NOTIFY_OFF:
      case QUEUE_NOTIFY_DATA:
        return queue ? queueSelect : 0;
      case QUEUE_RESET:
        return 0;
      default:
        return queue?.addressHalf(...addressField(at)) ?? 0;
    }
  }

  #writeCommon(at: number, size: 1 | 2 | 4, value: number): void {
    if (size !== fieldSize(at)) return;
    const { device } = this;
    const selects = this.#selects;
    const queue = device.queues[selects.queueSelect];
    switch (at) {
      case DEVICE_FEATURE_SELECT:
        selects.deviceFeatureSelect = value;
        break;
      case DRIVER_FEATURE_SELECT:
        selects.driverFeatureSelect = value;
        break;
      case DRIVER_FEATURE:
        device.chooseFeatures(selects.driverFeatureSelect, value);
        break;
      case DEVICE_STATUS:
        device.writeStatus(value);
        break;
      case QUEUE_SELECT:
        selects.queueSelect = value;
        break;
      case QUEUE_SIZE:
        queue?.setSize(value);
        break;
      case QUEUE_ENABLE:
        if (value === 1) device.enableQueue(selects.queueSelect);
        break;
      case QUEUE_RESET:
        if (value === 1) device.resetQueue(selects.queueSelect);
        break;
      default:
        if (at >= QUEUE_ADDRESSES && at < QUEUE_NOTIFY_DATA) queue?.setAddress(...addressField(at), value);
    }
  }

  save(): VirtioPciState {
    return { ...this.#selects };
  }

  restore(state: VirtioPciState): void {
    this.#selects = { ...state };
  }

  override saveFunction(): PciFunctionState & { transport: VirtioPciState } {
    return { ...super.saveFunction(), transport: this.save() };
  }

  override restoreFunction(state: PciFunctionState & { transport?: VirtioPciState }): void {
    super.restoreFunction(state);
    if (state.transport) this.restore(state.transport);
  }
}

/** Bytes of the field of the common configuration that begins at `at`; 0 if none does. */
function fieldSize(at: number): number {
  if (at < CONFIG_MSIX_VECTOR || (at >= QUEUE_ADDRESSES && at < QUEUE_NOTIFY_DATA))
    return at % 4 === 0 ? 4 : 0;
  if (at === DEVICE_STATUS || at === CONFIG_GENERATION) return 1;
  return at % 2 === 0 && at <= QUEUE_RESET ? 2 : 0;
}

function addressField(at: number): [area: QueueArea, half: "low" | "high"] {
  return [AREAS[(at - QUEUE_ADDRESSES) >> 3]!, at & 4 ? "high" : "low"];
}

/** `struct virtio_pci_cap` for a structure in BAR 0, with what some kinds have behind it. */
function capability(kind: number, offset: number, behind?: number): Uint8Array {
  const bytes = new Uint8Array(behind === undefined ? 16 : 20);
  const view = new DataView(bytes.buffer);
  bytes.set([CAPABILITY_VENDOR, 0, bytes.length, kind]);
  view.setUint32(8, offset, true);
  view.setUint32(12, kind === CFG_PCI ? 0 : STRUCTURE_SIZE, true);
  if (behind !== undefined) view.setUint32(16, behind, true);
  return bytes;
}
