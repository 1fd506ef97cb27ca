/** The command line of `npm run sandbox`. */
import { parseArgs } from "node:util";
import type { EngineName } from "../kvm/api.ts";

export const HELP = `npm run sandbox -- COMMAND [OPTIONS]

  (nothing)         boot the embedded guest: a kernel of 8 kB with a prompt, no download
  linux             boot Debian's kernel to a shell (fetches 53 MB the first time)
  run IMAGE         boot an image: a Linux bzImage, a multiboot kernel, or a flat
                    image, which is loaded at --address and entered there in real mode
  --kernel FILE     the same as: run FILE

Options
  --initrd FILE     the initial RAM disk, for a Linux kernel
  --append TEXT     more words for the kernel's command line; the embedded guest knows nopaging
  --memory MIB      RAM in MiB, 1 to 3072 (default 128)
  --address ADDRESS where a flat image goes (default 0x1000)
  --engine ENGINE   soft or kvm (default: kvm where /dev/kvm runs the guest, else soft)
  --restore FILE    go on with a machine that was saved with Ctrl-] w
  --save FILE       where Ctrl-] w saves to (default vmexit.save)
  --virtual-time    count instructions instead of following the clock: the same run each time
  --help            this text

npm keeps options for itself unless they stand behind --, as in
  npm run sandbox -- linux --memory 256

The terminal is the guest's serial port. Ctrl-] is for the machine:
  Ctrl-] q  quit          Ctrl-] s  status line
  Ctrl-] w  save          Ctrl-] h  these keys
  Ctrl-] ]  send Ctrl-]

The exit code is 0 after a power-off or halt, the guest's own code from the debug exit port,
1 when the guest crashed, and 2 for a wrong option or image.
`;

export interface Options {
  readonly command: "guest" | "linux" | "run" | "restore" | "help";
  /** The image of `run`, the save file of `restore`. */
  readonly image: string;
  /** Where to save to. */
  readonly saveFile: string;
  readonly initrd: string | undefined;
  readonly append: string;
  /** Bytes. */
  readonly memorySize: number;
  readonly address: number;
  readonly engine: EngineName | undefined;
  readonly isVirtualTime: boolean;
}

/** The command line is wrong; the message says what and what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const MIB = 0x10_0000;
/** A flat image is entered in real mode, below 640 KiB. */
const HIGHEST_ADDRESS = 0x9_0000;

/** Reads the words behind `npm run sandbox`. Throws a `UsageError`. */
export function readOptions(words: readonly string[]): Options {
  const { values, positionals } = parse(words);
  const [command, image, ...rest] = positionals;
  const common = {
    initrd: values.initrd,
    append: values.append ?? "",
    memorySize: numberOf("--memory", values.memory ?? "128", 1, 3072) * MIB,
    address: numberOf("--address", values.address ?? "0x1000", 0, HIGHEST_ADDRESS),
    engine: engineOf(values.engine),
    saveFile: values.save ?? "vmexit.save",
    isVirtualTime: values["virtual-time"] ?? false,
  };
  if (common.isVirtualTime && common.engine === "kvm") {
    throw new UsageError("--virtual-time counts instructions, which only the engine soft can do");
  }
  if (values.help) return { ...common, command: "help", image: "" };
  if (values.restore !== undefined) {
    for (const [option, value] of [
      ["--kernel", values.kernel],
      ["--initrd", values.initrd],
      ["--append", values.append],
      ["--memory", values.memory],
      [`"${command}"`, command],
    ]) {
      if (value !== undefined)
        throw new UsageError(`a restored machine has what it had; leave ${option} out`);
    }
    return { ...common, command: "restore", image: values.restore };
  }
  if (values.kernel !== undefined) {
    if (command !== undefined) {
      throw new UsageError(`--kernel already says what to boot; leave "${command}" out`);
    }
    return { ...common, command: "run", image: values.kernel };
  }
  switch (command) {
    case undefined:
      if (common.initrd !== undefined) {
        throw new UsageError("--initrd goes with a kernel; name it: --kernel FILE --initrd FILE");
      }
      return { ...common, command: "guest", image: "" };
    case "linux":
      if (image !== undefined) throw new UsageError(`linux takes no "${image}"`);
      if (common.initrd !== undefined) {
        throw new UsageError("linux brings its own initial RAM disk; boot yours with --kernel and --initrd");
      }
      return { ...common, command, image: "" };
    case "run":
      if (image === undefined) throw new UsageError("run what? Name an image: npm run sandbox -- run FILE");
      if (rest.length > 0) throw new UsageError(`run takes one image, and "${rest[0]}" is one too many`);
      return { ...common, command, image };
    default:
      throw new UsageError(`there is no command "${command}"; npm run sandbox -- --help lists them`);
  }
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        kernel: { type: "string" },
        initrd: { type: "string" },
        append: { type: "string" },
        memory: { type: "string" },
        address: { type: "string" },
        engine: { type: "string" },
        restore: { type: "string" },
        save: { type: "string" },
        "virtual-time": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    const [sentence = ""] = String(error instanceof Error ? error.message : error).split(". ");
    throw new UsageError(`${sentence}; npm run sandbox -- --help lists the options`);
  }
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = /^(0x[0-9a-f_]+|\d+)$/i.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`${option} takes a whole number from ${least} to ${most}, not "${text}"`);
  }
  return value;
}

function engineOf(name: string | undefined): EngineName | undefined {
  if (name === undefined || name === "soft" || name === "kvm") return name;
  throw new UsageError(`--engine takes soft or kvm, not "${name}"`);
}
