/** The devices of a PC's mainboard on one port bus, as the comparison needs them. */
import { Bus } from "#layers/01-minimal-vm/bus.ts";
import { PicPair } from "#layers/04-interrupts/pic.ts";
import { Pit } from "#layers/05-pit/pit.ts";
import { Uart } from "#layers/06-serial/uart.ts";
import type { ManualClock } from "../../machine/clock.ts";
import { ByteWide } from "../byte-wide.ts";
import { DebugConsole } from "../debug-console.ts";
import { DebugExit } from "../debug-exit.ts";
import { ElcrRegisters } from "../elcr.ts";
import { KeyboardController } from "../keyboard-controller.ts";
import { SystemControlA } from "../reset-control.ts";
import { RealTimeClock } from "../rtc.ts";
import { SpeakerPort } from "../speaker-port.ts";

export interface Mainboard {
  readonly ports: Bus;
  readonly reported: number[];
  readonly hasExited: () => boolean;
}

export function mainboard(clock: ManualClock): Mainboard {
  const reported: number[] = [];
  let hasExited = false;
  const pics = new PicPair();
  const pit = new Pit(clock, pics.line(0));
  const speaker = new SpeakerPort(pit, clock);
  const a20 = { isOpen: true };
  const keyboard = new KeyboardController({
    keyboardIrq: pics.line(1),
    auxiliaryIrq: pics.line(12),
    a20,
    reset() {},
  });
  const rtc = new RealTimeClock({ clock, irq: pics.line(8), start: Date.parse("2026-02-28T23:59:30Z") });
  const serial = new Uart({ clock, irq: pics.line(4), peer: { transmit() {} } });

  const ports = new Bus();
  ports.register("PIC, master", 0x20, 2, new ByteWide(pics.master));
  ports.register("PIT", 0x40, 4, new ByteWide(pit));
  ports.register("keyboard data", 0x60, 1, keyboard);
  ports.register("speaker", 0x61, 1, speaker);
  ports.register("keyboard command", 0x64, 1, offsetBy(4, keyboard));
  ports.register("RTC", 0x70, 2, new ByteWide(rtc));
  ports.register("system control A", 0x92, 1, new SystemControlA(a20, () => {}));
  ports.register("PIC, slave", 0xa0, 2, new ByteWide(pics.slave));
  ports.register("debug console", 0xe9, 1, new DebugConsole(byte => reported.push(byte)));
  ports.register(
    "debug exit",
    0xf4,
    4,
    new DebugExit(() => {
      hasExited = true;
    }),
  );
  ports.register("serial", 0x3f8, 8, new ByteWide(serial));
  ports.register("ELCR", 0x4d0, 2, new ByteWide(new ElcrRegisters(pics)));
  return { ports, reported, hasExited: () => hasExited };
}

/** The second port of a device whose first lies elsewhere. */
function offsetBy(distance: number, device: KeyboardController) {
  return {
    read: () => device.read(distance),
    write: (_offset: number, size: 1 | 2 | 4, value: number) => device.write(distance, size, value),
  };
}
