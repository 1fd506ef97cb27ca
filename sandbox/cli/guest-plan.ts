/** What to boot: reads the files that the command line names, or fetches them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BootImageError } from "../boot/boot-image-error.ts";
import { type BootOptions, type ImageKind, imageKind } from "../boot/image.ts";
import type { GuestNeed } from "../kvm/engines.ts";
import { debianLinux } from "./linux/debian.ts";
import type { Options } from "./options.ts";
import { ProgressBar } from "./progress-bar.ts";

export interface GuestPlan {
  readonly kind: ImageKind;
  readonly boot: BootOptions;
  /** What the engine must be able to run. */
  readonly needs: readonly GuestNeed[];
}

const EMBEDDED_GUEST = new URL("../guest/image.elf", import.meta.url);

/** The machine has no ACPI; the serial port is the console. */
const LINUX_COMMAND_LINE = "console=ttyS0 acpi=off";

const NEEDS: Readonly<Record<ImageKind, readonly GuestNeed[]>> = {
  linux: ["protected-mode", "protected-interrupts", "paging32"],
  multiboot: ["protected-mode", "protected-interrupts", "paging32"],
  flat: ["real-mode"],
};

/** `report` takes lines for the terminal. Throws a `BootImageError` or a `DebianError`. */
export async function planGuest(options: Options, report: (line: string) => void): Promise<GuestPlan> {
  const { append, address, memorySize: ramSize } = options;
  if (options.command === "linux") {
    const bar = new ProgressBar();
    const { kernel, initrd, sentence } = await debianLinux(report, (what, done, total) =>
      bar.show(what, done, total),
    );
    report(sentence);
    const commandLine = `${LINUX_COMMAND_LINE} ${append}`.trim();
    return {
      kind: "linux",
      boot: { name: "Debian's kernel", image: kernel, initrd, commandLine, address, ramSize },
      needs: NEEDS.linux,
    };
  }
  if (options.command === "guest") {
    const image = readImage(fileURLToPath(EMBEDDED_GUEST));
    const needs = NEEDS.multiboot.filter(
      need => need !== "paging32" || !append.split(" ").includes("nopaging"),
    );
    return {
      kind: "multiboot",
      boot: { name: "the embedded guest", image, commandLine: append, address, ramSize },
      needs,
    };
  }
  const image = readImage(options.image);
  const kind = imageKind(options.image, image);
  const initrd = options.initrd === undefined ? undefined : readImage(options.initrd);
  if (initrd && kind === "flat") {
    throw new BootImageError(
      options.image,
      "a flat image has no use for an initial RAM disk",
      "Leave --initrd out",
    );
  }
  const commandLine = kind === "linux" ? `${LINUX_COMMAND_LINE} ${append}`.trim() : append;
  return {
    kind,
    boot: { name: options.image, image, commandLine, address, ramSize, ...(initrd && { initrd }) },
    needs: NEEDS[kind],
  };
}

function readImage(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      code === "ENOENT"
        ? "there is no such file"
        : code === "EISDIR"
          ? "this is a folder"
          : code === "EACCES"
            ? "you may not read this file"
            : `it cannot be read (${code})`;
    throw new BootImageError(path, problem);
  }
}
