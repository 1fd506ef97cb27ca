/**
 * The machines of the chapters for a session: how each is built around a guest's image, and how the page shows it.
 * To give a chapter a machine, add a line to `CHAPTERS` here, and its view to `views.ts`.
 */

import { PassedFrames } from "../../sandbox/session/passed-frames.ts";
import type { BuildMachine } from "../../sandbox/session/session-machine.ts";
import { interruptibleMachine, plainMachine } from "../../sandbox/session/session-machine.ts";

/** The budget of an entry is that of the chapter's main.ts. */
const BUDGET = 1_000_000;
const LONG_BUDGET = 50_000_000;

type Building = (image: Uint8Array) => BuildMachine;

/** By the chapter's folder; a chapter's modules are loaded when its machine is switched on. */
export const CHAPTERS: Readonly<Record<string, () => Promise<Building>>> = {
  "01-minimal-vm": async () => {
    const { build } = await import("../../chapters/01-minimal-vm/machine.ts");
    return image =>
      (engine, { print }) => {
        const vm = build(engine, image, print);
        return plainMachine(vm, BUDGET, { adder: vm.adder });
      };
  },

  "02-real-mode": async () => {
    const { build } = await import("../../chapters/02-real-mode/machine.ts");
    return image =>
      (engine, { print }) =>
        plainMachine(build(engine, image, print), LONG_BUDGET);
  },

  "03-paging": async () => {
    const { build } = await import("../../chapters/03-paging/machine.ts");
    const { nestedLook } = await import("../../chapters/03-paging/looks.ts");
    return image =>
      (engine, { print }) => {
        const vm = build(engine, image, print);
        return plainMachine(vm, BUDGET, {}, () => nestedLook(vm).join("\n"));
      };
  },

  "04-interrupts": async () => {
    const { build, EXIT_NANOSECONDS } = await import("../../chapters/04-interrupts/machine.ts");
    return image =>
      (engine, { print }) => {
        const vm = build(engine, image, print);
        const devices = { metronome: vm.metronome };
        return interruptibleMachine(vm, { budget: BUDGET, exitTime: EXIT_NANOSECONDS, devices });
      };
  },

  "05-pit": async () => {
    const { build, EXIT_NANOSECONDS } = await import("../../chapters/05-pit/machine.ts");
    return image =>
      (engine, { print }) => {
        const vm = build(engine, image, print);
        const { pit, speaker } = vm;
        return interruptibleMachine(vm, {
          budget: BUDGET,
          exitTime: EXIT_NANOSECONDS,
          devices: { pit, speaker },
          // A counter does nothing unforeseen until the guest writes to it.
          sample: exit =>
            exit.reason === "IO" && exit.direction === "out" && isTimer(exit.port)
              ? { pit: pit.save(), speaker: speaker.save() }
              : undefined,
        });
      };
  },

  "06-serial": async () => {
    const { build, EXIT_NANOSECONDS } = await import("../../chapters/06-serial/machine.ts");
    return image =>
      (engine, { print }) => {
        const vm = build(engine, image, print);
        const { serial } = vm;
        return interruptibleMachine(vm, {
          budget: BUDGET,
          exitTime: EXIT_NANOSECONDS,
          devices: { serial },
          receive: bytes => serial.receive(bytes),
          sample: () => serial.save(),
        });
      };
  },

  "07-virtio-net": async () => {
    const { build, EXIT_NANOSECONDS } = await import("../../chapters/07-virtio-net/machine.ts");
    const { QUEUE_NAMES } = await import("../../chapters/07-virtio-net/packet-log.ts");
    const { ringsOf } = await import("../../chapters/07-virtio-net/rings.ts");
    return image =>
      (engine, { print }) => {
        const frames = new PassedFrames();
        const vm = build(engine, image, print, (direction, frame) =>
          frames.add(direction, frame, vm.clock.now()),
        );
        const { card, transport, wire, memory } = vm;
        return interruptibleMachine(vm, {
          budget: BUDGET,
          exitTime: EXIT_NANOSECONDS,
          devices: { card, transport, wire, frames },
          passedFrames: () => frames.count,
          picture: () => {
            try {
              return ringsOf(card.save().device.queues, QUEUE_NAMES, memory);
            } catch {
              return []; // a driver may put its rings where no memory is
            }
          },
        });
      };
  },

  "08-linux": async () => {
    const { build, COMMAND_LINE, EXIT_NANOSECONDS, INITRD } = await import(
      "../../chapters/08-linux/machine.ts"
    );
    const { isElf } = await import("#layers/08-linux/elf.ts");
    const { bootPicture } = await import("./boot-picture.ts");
    return kernel =>
      (engine, { print }) => {
        const vm = build(engine, { kernel, initrd: INITRD, commandLine: COMMAND_LINE }, print);
        const devices = { serial: vm.serial };
        return interruptibleMachine(vm, {
          budget: BUDGET,
          exitTime: EXIT_NANOSECONDS,
          devices,
          picture: () => bootPicture(vm.memory, isElf(kernel) ? "PVH" : "Linux"),
        });
      };
  },
};

function isTimer(port: number): boolean {
  return (port >= 0x40 && port <= 0x43) || port === 0x61;
}

/** How the machine of a chapter is built. Throws for a chapter that has none. */
export async function findBuilding(chapter: string): Promise<Building> {
  const load = CHAPTERS[chapter];
  if (!load) throw new Error(`there is no machine of a chapter ${chapter}`);
  return load();
}
