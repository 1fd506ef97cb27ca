/** What the machine begins with: a guest to boot or a saved state. Reads the files that the command line names, or fetches them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BootImageError } from "../boot/boot-image-error.ts";
import { bootImage, type ImageKind, imageKind } from "../boot/image.ts";
import type { EngineName } from "../kvm/api.ts";
import type { GuestNeed } from "../kvm/engines.ts";
import type { Machine } from "../machine/machine.ts";
import { readSnapshot, restoreMachine } from "../machine/snapshot.ts";
import type { Transport } from "./device-options.ts";
import { fileProblem } from "./file-problem.ts";
import { debianLinux } from "./linux/debian.ts";
import type { Options } from "./options.ts";
import { ProgressBar } from "./progress-bar.ts";

export interface GuestPlan {
  /** Bytes. */
  readonly memorySize: number;
  /** What the RTC shows at guest time 0, in milliseconds since 1970. */
  readonly startDate: number;
  /** Where guest time begins, in nanoseconds. */
  readonly guestTime: number;
  /** What the engine must be able to run. */
  readonly needs: readonly GuestNeed[];
  /** The engine that it must be, if it must. */
  readonly engine: EngineName | undefined;
  /** Why it must, for the line that says which engine it is. */
  readonly engineReason: string;
  /** How the guest looks for its network card; null for a saved machine that had none. */
  readonly transport: Transport | null;
  /** A reset boots the guest again; a saved state has no image to boot. */
  readonly canReset: boolean;
  /** Gives memory, processor and devices their first state. Throws if the image is not for this machine. */
  setUp(machine: Machine): void;
}

const EMBEDDED_GUEST = new URL("../guest/image.elf", import.meta.url);

/** The serial port is the console. */
const LINUX_COMMAND_LINE = "console=ttyS0";
/** The self-tests of Debian's ciphers are three quarters of the instructions to the shell. */
export const DEBIAN_COMMAND_LINE = `${LINUX_COMMAND_LINE} cryptomgr.notests`;

const NEEDS: Readonly<Record<ImageKind, readonly GuestNeed[]>> = {
  linux: ["protected-mode", "protected-interrupts", "paging32"],
  pvh: ["protected-mode", "protected-interrupts", "paging32"],
  multiboot: ["protected-mode", "protected-interrupts", "paging32"],
  flat: ["real-mode"],
};

/** `report` takes lines for the terminal. Throws a `BootImageError`, `DebianError` or `SnapshotError`. */
export async function planGuest(options: Options, report: (line: string) => void): Promise<GuestPlan> {
  switch (options.command) {
    case "restore":
      return planRestore(options.image);
    case "linux":
      return planLinux(options, report);
    case "guest": {
      const image = readFile(fileURLToPath(EMBEDDED_GUEST));
      const plan = planBoot(options, "multiboot", "the embedded guest", image, options.append);
      const isPaged = !options.append.split(" ").includes("nopaging");
      // It takes interrupts, but goes back from them without IRET (start.asm).
      const needs: GuestNeed[] = isPaged ? ["protected-mode", "paging32"] : ["protected-mode"];
      return { ...plan, needs, transport: options.transport ?? "mmio" };
    }
    default:
      return planImage(options);
  }
}

async function planLinux(options: Options, report: (line: string) => void): Promise<GuestPlan> {
  const bar = new ProgressBar();
  const { kernel, initrd, sentence } = await debianLinux(
    report,
    (what, done, total) => bar.show(what, done, total),
    options.flavour,
  );
  report(sentence);
  const commandLine = `${DEBIAN_COMMAND_LINE} ${options.append}`.trim();
  return planBoot(options, "linux", "Debian's kernel", kernel, commandLine, initrd);
}

function planImage(options: Options): GuestPlan {
  const { image: name, append } = options;
  const image = readFile(name);
  const kind = imageKind(name, image);
  const initrd = options.initrd === undefined ? undefined : readFile(options.initrd);
  if (initrd && kind === "flat") {
    throw new BootImageError(name, "a flat image has no use for an initial RAM disk", "Leave --initrd out");
  }
  const commandLine = kind === "linux" || kind === "pvh" ? `${LINUX_COMMAND_LINE} ${append}`.trim() : append;
  return planBoot(options, kind, name, image, commandLine, initrd);
}

function planBoot(
  options: Options,
  kind: ImageKind,
  name: string,
  image: Uint8Array,
  commandLine: string,
  initrd?: Uint8Array,
): GuestPlan {
  const { address, memorySize, engine, isVirtualTime } = options;
  return {
    memorySize,
    startDate: isVirtualTime ? 0 : Date.now(),
    guestTime: 0,
    needs: NEEDS[kind],
    engine: isVirtualTime ? "soft" : engine,
    engineReason: isVirtualTime ? "which counts its instructions" : "as you asked",
    transport: options.transport ?? "pci",
    canReset: true,
    setUp({ parts: { memory, vcpu } }) {
      const boot = { name, image, commandLine, address, ramSize: memorySize };
      bootImage(kind, memory, vcpu, initrd ? { ...boot, initrd } : boot);
    },
  };
}

function planRestore(name: string): GuestPlan {
  const snapshot = readSnapshot(readFile(name));
  return {
    memorySize: snapshot.memorySize,
    startDate: snapshot.startDate,
    guestTime: snapshot.guestTime,
    needs: [],
    engine: snapshot.engine,
    engineReason: "on which it was saved",
    transport: snapshot.cards.network && (snapshot.cards.network.mmio ? "mmio" : "pci"),
    canReset: false,
    setUp: machine => restoreMachine(machine, snapshot),
  };
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new BootImageError(path, fileProblem(error));
  }
}
