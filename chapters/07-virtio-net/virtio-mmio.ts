// Starter: write the exercises here; `npm run chapter 7` runs them, `npm run chapter 7 test` tests them.
// Generated from solutions/07-virtio-net/virtio-mmio.ts by `npm run starters` (07367129).
/**
 * virtio-mmio: a virtio device as a block of registers in memory, and one interrupt line.
 *
 * Registers (offsets, 4 bytes each):
 *
 *     000 R  MagicValue  "virt"        044 RW QueueReady               0a0 W  QueueDeviceLow
 *     004 R  Version  2                050 W  QueueNotify              0a4 W  QueueDeviceHigh
 *     008 R  DeviceID                  060 R  InterruptStatus          0ac W  SHMSel
 *     00c R  VendorID                  064 W  InterruptACK             0b0 R  SHMLenLow
 *     010 R  DeviceFeatures            070 RW Status                   0b4 R  SHMLenHigh
 *     014 W  DeviceFeaturesSel         080 W  QueueDescLow             0b8 R  SHMBaseLow
 *     020 W  DriverFeatures            084 W  QueueDescHigh            0bc R  SHMBaseHigh
 *     024 W  DriverFeaturesSel         090 W  QueueDriverLow           0c0 RW QueueReset
 *     030 W  QueueSel                  094 W  QueueDriverHigh          0fc R  ConfigGeneration
 *     034 R  QueueNumMax               038 W  QueueNum                 100 RW Config, any size
 *
 * Source: VIRTIO 1.2, 4.2.2 "MMIO Device Register Layout".
 */
import type { IrqLine, MmioDevice } from "#layers/01-minimal-vm/bus.ts";
import type { VirtioDevice } from "./virtio-device.ts";
import type { QueueArea } from "./virtqueue.ts";

/** Bytes of address space: the registers and room for any configuration space. */
export const VIRTIO_MMIO_SIZE = 0x200;

const MAGIC_VALUE = 0x000;
const VERSION = 0x004;
const DEVICE_ID = 0x008;
const VENDOR_ID = 0x00c;
const DEVICE_FEATURES = 0x010;
const DEVICE_FEATURES_SEL = 0x014;
const DRIVER_FEATURES = 0x020;
const DRIVER_FEATURES_SEL = 0x024;
const QUEUE_SEL = 0x030;
const QUEUE_NUM_MAX = 0x034;
const QUEUE_NUM = 0x038;
const QUEUE_READY = 0x044;
const QUEUE_NOTIFY = 0x050;
const INTERRUPT_STATUS = 0x060;
const INTERRUPT_ACK = 0x064;
const STATUS = 0x070;
const QUEUE_DESC_LOW = 0x080;
const QUEUE_DESC_HIGH = 0x084;
const QUEUE_DRIVER_LOW = 0x090;
const QUEUE_DRIVER_HIGH = 0x094;
const QUEUE_DEVICE_LOW = 0x0a0;
const QUEUE_DEVICE_HIGH = 0x0a4;
const SHM_LEN_LOW = 0x0b0;
const SHM_BASE_HIGH = 0x0bc;
const QUEUE_RESET = 0x0c0;
const CONFIG_GENERATION = 0x0fc;
const CONFIG = 0x100;

const MAGIC = 0x7472_6976; // "virt", little endian
const MODERN = 2;
const VENDOR = 0x7865_6d76; // "vmex"

/** Which part of a queue's setup an address register holds, and whether it is the upper half. */
const ADDRESS_REGISTERS: Readonly<Record<number, readonly [QueueArea, "low" | "high"]>> = {
  [QUEUE_DESC_LOW]: ["descriptorTable", "low"],
  [QUEUE_DESC_HIGH]: ["descriptorTable", "high"],
  [QUEUE_DRIVER_LOW]: ["availableRing", "low"],
  [QUEUE_DRIVER_HIGH]: ["availableRing", "high"],
  [QUEUE_DEVICE_LOW]: ["usedRing", "low"],
  [QUEUE_DEVICE_HIGH]: ["usedRing", "high"],
};

export interface VirtioMmioState {
  deviceFeaturesSel: number;
  driverFeaturesSel: number;
  queueSel: number;
}

export class VirtioMmio implements MmioDevice {
  #deviceFeaturesSel = 0;
  #driverFeaturesSel = 0;
  #queueSel = 0;

  constructor(
    readonly device: VirtioDevice,
    irq: IrqLine,
  ) {
    device.connect(irq);
  }

  /** Registers are read in 4 bytes each; any other way reads 0 (4.2.2.2). */
  read(offset: number, size: 1 | 2 | 4): number {
    if (offset >= CONFIG) return this.device.readConfiguration(offset - CONFIG, size);
    return size === 4 ? this.#readRegister(offset) : 0;
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset >= CONFIG) this.device.writeConfiguration(offset - CONFIG, size, value);
    else if (size === 4) this.#writeRegister(offset, value);
  }

  // #region read
  #readRegister(offset: number): number {
    const { device } = this;
    const queue = device.queues[this.#queueSel];
    // #region exercise-read
    throw new Error(
      "exercise read: return what each register of virtio-mmio reads, and hand each write to the device or to the selected queue · chapter 7, “A device in memory”",
    );
    // #endregion exercise-read
  }
  // #endregion read

  // #region write
  #writeRegister(offset: number, value: number): void {
    const { device } = this;
    const queue = device.queues[this.#queueSel];
    // #region exercise-write
    throw new Error(
      "exercise write: return what each register of virtio-mmio reads, and hand each write to the device or to the selected queue · chapter 7, “A device in memory”",
    );
    // #endregion exercise-write
  }

  /** One half of an address of the selected queue. */
  #writeAddress(offset: number, value: number): void {
    const [area, half] = ADDRESS_REGISTERS[offset] ?? [];
    if (area && half) this.device.queues[this.#queueSel]?.setAddress(area, half, value);
  }
  // #endregion write

  save(): VirtioMmioState {
    return {
      deviceFeaturesSel: this.#deviceFeaturesSel,
      driverFeaturesSel: this.#driverFeaturesSel,
      queueSel: this.#queueSel,
    };
  }

  restore(state: VirtioMmioState): void {
    this.#deviceFeaturesSel = state.deviceFeaturesSel;
    this.#driverFeaturesSel = state.driverFeaturesSel;
    this.#queueSel = state.queueSel;
  }
}
