// Starter: write the exercises here; `npm run chapter 7` runs them, `npm run chapter 7 test` tests them.
// Generated from solutions/07-virtio-net/receive-filter.ts by `npm run starters` (5cb13164).
/**
 * Which frames a network card lets through to its guest, and the commands by which a driver says so.
 *
 * Source: VIRTIO 1.2, 5.1.6.5 "Control Virtqueue".
 */

/** Classes of commands. */
const CLASS_RX = 0;
const CLASS_MAC = 1;
const CLASS_VLAN = 2;

const MAC_TABLE_SET = 0;
const MAC_ADDR_SET = 1;

const VLAN_ADD = 0;
const VLAN_DEL = 1;

const MAC_LENGTH = 6;
const BROADCAST = "ff:ff:ff:ff:ff:ff";
const ETHERTYPE_VLAN = 0x8100;

/** The switches of class RX, in the order of their commands: 0 PROMISC to 5 NOBCAST. */
const SWITCHES = [
  "promiscuous",
  "allMulticast",
  "allUnicast",
  "noMulticast",
  "noUnicast",
  "noBroadcast",
] as const;
/** The switches that need VIRTIO_NET_F_CTRL_RX_EXTRA begin here. */
const EXTRA_SWITCHES = 2;

/** Which commands the driver may give, by the features it negotiated. */
export interface FilterFeatures {
  readonly rx: boolean;
  readonly rxExtra: boolean;
  readonly macAddress: boolean;
  readonly vlan: boolean;
}

export interface ReceiveFilterState extends Record<(typeof SWITCHES)[number], boolean> {
  mac: string;
  /** Addresses beside the card's own. */
  unicast: string[];
  multicast: string[];
  vlans: number[];
}

export class ReceiveFilter {
  #state: ReceiveFilterState;

  constructor(mac: string) {
    this.#state = ReceiveFilter.#open(mac);
  }

  /** Until a driver says otherwise, everything passes: not every driver knows that it could. */
  static #open(mac: string): ReceiveFilterState {
    return {
      mac,
      promiscuous: true,
      allMulticast: false,
      allUnicast: false,
      noMulticast: false,
      noUnicast: false,
      noBroadcast: false,
      unicast: [],
      multicast: [],
      vlans: [],
    };
  }

  get mac(): string {
    return this.#state.mac;
  }

  reset(mac: string): void {
    this.#state = ReceiveFilter.#open(mac);
  }

  // #region passes
  /** Whether a frame is for this guest. `filtersVlans`: VIRTIO_NET_F_CTRL_VLAN was negotiated. */
  passes(frame: Uint8Array, filtersVlans: boolean): boolean {
    const state = this.#state;
    // #region exercise-filter
    throw new Error(
      "exercise filter: tell whether a frame passes: promiscuous takes all, then VLANs, then broadcast, multicast and unicast, each by its own rules · chapter 7, “What is for you”",
    );
    // #endregion exercise-filter
  }
  // #endregion passes

  // #region command
  /** Carries out a command: class, number, data. Returns whether it was understood and permitted. */
  command(command: Uint8Array, features: FilterFeatures): boolean {
    if (command.length < 2) return false;
    const [kind, number] = command as unknown as [number, number];
    const data = command.subarray(2);
    switch (kind) {
      case CLASS_RX:
        return features.rx && this.#setSwitch(number, data, features.rxExtra);
      case CLASS_MAC:
        if (number === MAC_TABLE_SET) return features.rx && this.#setTables(data);
        if (number !== MAC_ADDR_SET || !features.macAddress || data.length !== MAC_LENGTH) return false;
        this.#state.mac = macAt(data, 0);
        return true;
      case CLASS_VLAN:
        return features.vlan && this.#setVlan(number, data);
      default:
        return false;
    }
  }

  #setSwitch(number: number, data: Uint8Array, hasExtra: boolean): boolean {
    const name = SWITCHES[number];
    if (!name || (number >= EXTRA_SWITCHES && !hasExtra) || data.length !== 1) return false;
    this.#state[name] = data[0] !== 0;
    return true;
  }

  /** Two tables, each a count of 4 bytes and as many addresses: unicast, then multicast. */
  #setTables(data: Uint8Array): boolean {
    const unicast = macTable(data, 0);
    if (!unicast) return false;
    const multicast = macTable(data, unicast.end);
    if (!multicast || multicast.end !== data.length) return false;
    this.#state.unicast = unicast.addresses;
    this.#state.multicast = multicast.addresses;
    return true;
  }
  // #endregion command

  #setVlan(number: number, data: Uint8Array): boolean {
    if (data.length !== 2 || (number !== VLAN_ADD && number !== VLAN_DEL)) return false;
    const vlan = data[0]! | (data[1]! << 8);
    if (vlan > 0xfff) return false;
    const others = this.#state.vlans.filter(other => other !== vlan);
    this.#state.vlans = number === VLAN_ADD ? [...others, vlan] : others;
    return true;
  }

  save(): ReceiveFilterState {
    const { unicast, multicast, vlans } = this.#state;
    return { ...this.#state, unicast: [...unicast], multicast: [...multicast], vlans: [...vlans] };
  }

  restore(state: ReceiveFilterState): void {
    const { unicast, multicast, vlans } = state;
    this.#state = { ...state, unicast: [...unicast], multicast: [...multicast], vlans: [...vlans] };
  }
}

function macTable(data: Uint8Array, at: number): { addresses: string[]; end: number } | null {
  if (at + 4 > data.length) return null;
  const count = new DataView(data.buffer, data.byteOffset).getUint32(at, true);
  const end = at + 4 + MAC_LENGTH * count;
  if (end > data.length) return null;
  const addresses = Array.from({ length: count }, (_, index) => macAt(data, at + 4 + MAC_LENGTH * index));
  return { addresses, end };
}

/** The address of 6 bytes at `at`, as in `52:54:00:12:34:56`. */
export function macAt(bytes: Uint8Array, at: number): string {
  const digits = Array.from(bytes.subarray(at, at + MAC_LENGTH), byte => byte.toString(16).padStart(2, "0"));
  return digits.join(":");
}

/** The 6 bytes of an address like `52:54:00:12:34:56`. */
export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), digits => Number.parseInt(digits, 16));
}

function etherType(frame: Uint8Array): number {
  return (frame[12]! << 8) | frame[13]!;
}

function vlanOf(frame: Uint8Array): number {
  return ((frame[14]! << 8) | frame[15]!) & 0xfff;
}
