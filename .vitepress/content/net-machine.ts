/**
 * The machine of chapter 7 for the page: a guest, its card and the wire on guest time. One turn is an
 * instruction, an exit or a frame; what it shows is plain data, made of saved state and guest memory.
 */
import {
  handleInterruptibleExit,
  injectInterrupt,
  sleepUntilInterrupt,
} from "#layers/04-interrupts/injection.ts";
import { build } from "../../chapters/07-virtio-net/machine.ts";
import { QUEUE_NAMES } from "../../chapters/07-virtio-net/packet-log.ts";
import { describeFrame, type Packet } from "../../chapters/07-virtio-net/packets.ts";
import { type RingsView, ringsOf } from "../../chapters/07-virtio-net/rings.ts";
import { exitLine } from "../../chapters/tools/exit-log.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";

export interface SeenPacket extends Packet {
  /** Counts from 1. */
  readonly number: number;
  readonly direction: "out" | "in";
  /** Guest time in milliseconds. */
  readonly time: string;
  readonly bytes: readonly number[];
}

export interface NetView {
  readonly rings: readonly RingsView[];
  /** The last frames, oldest first. */
  readonly packets: readonly SeenPacket[];
  readonly packetCount: number;
  /** The card's status, and why it interrupts; 0 if it does not. */
  readonly status: number;
  readonly interruptStatus: number;
  readonly output: string;
  /** The last lines of the exit log. */
  readonly exits: readonly string[];
  readonly exitCount: number;
  /** Guest time in milliseconds. */
  readonly time: string;
  /** CS:IP. */
  readonly address: string;
  /** The exit that ended the guest, or nothing. */
  readonly ended: string;
}

export interface NetMachine {
  /** One instruction. */
  step(): void;
  /** On to the next exit and over it. */
  toExit(): void;
  /** On until a frame has passed. */
  toPacket(): void;
  /** Some hundred exits. */
  run(): void;
  view(): NetView;
  close(): void;
}

const TO_EXIT = 1_000_000;
const EXITS_A_SLICE = 200;
const SHOWN = 12;

export function openNetMachine(image: Uint8Array): NetMachine {
  const hypervisor = openSoft();
  let output = "";
  const packets: SeenPacket[] = [];
  let packetCount = 0;
  const exits: string[] = [];
  let exitCount = 0;
  let ended = "";
  const milliseconds = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(3);
  const keep = <Item>(list: Item[], item: Item) => {
    list.push(item);
    if (list.length > SHOWN) list.shift();
  };
  const machine = build(
    hypervisor,
    image,
    byte => (output += String.fromCharCode(byte)),
    (direction, frame) => {
      const time = milliseconds(machine.clock.now());
      keep(packets, { ...describeFrame(frame), number: ++packetCount, direction, time, bytes: [...frame] });
    },
  );
  const { vcpu, memory, pics, buses, time, card } = machine;

  /** A turn of `runInterruptible`; returns whether there was an exit. */
  function turn(instructions: number): boolean {
    injectInterrupt(vcpu, pics);
    const exit = vcpu.run({ instructions });
    if (exit.reason === "INTR") return false;
    keep(exits, exitLine(++exitCount, exit));
    // A HLT is slept through here, so that the frames that come meanwhile are seen.
    const goesOn =
      exit.reason === "HLT"
        ? vcpu.interruptFlag && sleepUntilInterrupt(pics, time)
        : handleInterruptibleExit(exit, vcpu, buses, pics, time);
    if (goesOn) time.catchUp();
    else ended = exit.reason;
    return true;
  }
  function until(isEnough: () => boolean): void {
    while (!ended && !isEnough()) if (!turn(TO_EXIT)) return;
  }

  return {
    step() {
      if (!ended) turn(1);
    },
    toExit() {
      if (!ended) turn(TO_EXIT);
    },
    toPacket() {
      const before = packetCount;
      until(() => packetCount > before);
    },
    run() {
      const end = exitCount + EXITS_A_SLICE;
      until(() => exitCount >= end);
    },
    view() {
      const { device } = card.save();
      const selector = vcpu.getSregs().cs.selector;
      return {
        rings: ringsOf(device.queues, QUEUE_NAMES, memory),
        packets: [...packets],
        packetCount,
        status: device.status,
        interruptStatus: device.interruptStatus,
        output,
        exits: [...exits],
        exitCount,
        time: milliseconds(machine.clock.now()),
        address: `${hex(selector)}:${hex(Number(vcpu.getRegs().rip))}`,
        ended,
      };
    },
    close: () => hypervisor.close(),
  };
}

function hex(value: number): string {
  return value.toString(16).padStart(4, "0");
}
