/** The command line of `npm run sandbox`. */
import { parseArgs } from "node:util";
import type { EngineName } from "../kvm/api.ts";
import {
  type DiskOption,
  diskOf,
  type NetworkOptions,
  networkOf,
  TRANSPORTS,
  type Transport,
} from "./device-options.ts";
import { type DebianFlavour, FLAVOURS } from "./linux/flavours.ts";
import { choiceOf, numberOf } from "./option-values.ts";
import { UsageError } from "./usage-error.ts";

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
  /** Which of Debian's kernels. */
  readonly flavour: DebianFlavour;
  readonly disks: readonly DiskOption[];
  readonly network: NetworkOptions;
  /** Undefined: what the guest wants. */
  readonly transport: Transport | undefined;
}

const MIB = 0x10_0000;
const ENGINES = ["soft", "kvm"] as const;
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
    engine: choiceOf("--engine", values.engine, ENGINES),
    saveFile: values.save ?? "vmexit.save",
    isVirtualTime: values["virtual-time"] ?? false,
    flavour: choiceOf("--flavour", values.flavour, FLAVOURS) ?? "686",
    disks: (values.disk ?? []).map(diskOf),
    network: networkOf(values.net, values.forward ?? [], values.capture),
    transport: choiceOf("--transport", values.transport, TRANSPORTS),
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
      ["--transport", values.transport],
      ["--flavour", values.flavour],
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
  if (values.flavour !== undefined && command !== "linux") {
    throw new UsageError("--flavour chooses among Debian's kernels; it goes with linux");
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
        flavour: { type: "string" },
        disk: { type: "string", multiple: true },
        net: { type: "string" },
        forward: { type: "string", multiple: true },
        capture: { type: "string" },
        transport: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    const [sentence = ""] = String(error instanceof Error ? error.message : error).split(". ");
    throw new UsageError(`${sentence}; npm run sandbox -- --help lists the options`);
  }
}
