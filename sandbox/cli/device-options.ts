/** The options for disks and the network, and what they come to. */
import { LOOPBACK } from "../net/addresses.ts";
import type { Forward } from "../net/user-network.ts";
import { numberOf } from "./option-values.ts";
import { UsageError } from "./usage-error.ts";

export interface DiskOption {
  readonly path: string;
  /** `snapshot` keeps what the guest writes in memory; `readonly` refuses it. */
  readonly mode: "write" | "snapshot" | "readonly";
}

/** `disk.img` or `disk.img,snapshot`. A name with a comma needs a mode behind it. */
export function diskOf(text: string): DiskOption {
  const comma = text.lastIndexOf(",");
  const path = comma < 0 ? text : text.slice(0, comma);
  const mode = comma < 0 ? "write" : text.slice(comma + 1);
  if (path === "") throw new UsageError("--disk takes the name of a raw disk image");
  if (mode !== "write" && mode !== "snapshot" && mode !== "readonly") {
    throw new UsageError(`--disk ${path} may be followed by ,snapshot or ,readonly, not ",${mode}"`);
  }
  return { path, mode };
}

export interface NetworkOptions {
  /** `user`, `tap`, `tap:NAME` or `none`. */
  readonly kind: string;
  readonly forwards: readonly Forward[];
  /** The file for captured frames. */
  readonly capture: string | undefined;
}

export const TRANSPORTS = ["pci", "mmio"] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** IFNAMSIZ of Linux's <net/if.h>, without the zero at the end. */
const LONGEST_INTERFACE_NAME = 15;

/** `net`, `forward` and `capture` as they stand on the command line. Throws a `UsageError`. */
export function networkOf(
  net: string | undefined,
  forwards: readonly string[],
  capture: string | undefined,
): NetworkOptions {
  const kind = kindOf(net ?? "user");
  if (forwards.length > 0 && kind !== "user") {
    throw new UsageError("--forward is for --net user: a guest on a TAP device has an address of its own");
  }
  if (capture !== undefined && kind === "none") {
    throw new UsageError("--capture records frames, and with --net none there are none");
  }
  const wanted = forwards.map(forwardOf);
  for (const [at, { protocol, host }] of wanted.entries()) {
    const first = wanted.findIndex(one => one.protocol === protocol && one.host.port === host.port);
    if (first < at)
      throw new UsageError(`--forward: ${protocol} port ${host.port} of this host stands twice`);
  }
  return { kind, forwards: wanted, capture };
}

function kindOf(text: string): string {
  const [, name] = /^tap(?::([^/\s]+))?$/.exec(text) ?? [];
  if (name === undefined && text !== "user" && text !== "none" && text !== "tap") {
    throw new UsageError(`--net takes user, tap, tap:NAME or none, not "${text}"`);
  }
  if (name && name.length > LONGEST_INTERFACE_NAME) {
    throw new UsageError(
      `--net ${text}: the name of an interface has at most ${LONGEST_INTERFACE_NAME} characters`,
    );
  }
  return text;
}

function forwardOf(text: string): Forward {
  const [, protocol = "tcp", host, guest] = /^(?:(tcp|udp):)?(\d+):(\d+)$/.exec(text) ?? [];
  if (host === undefined || guest === undefined) {
    throw new UsageError(`--forward takes HOST_PORT:GUEST_PORT, as in 8080:80 or udp:5353:53, not "${text}"`);
  }
  return {
    protocol: protocol as Forward["protocol"],
    host: { address: LOOPBACK, port: numberOf("--forward", host, 1, 0xffff) },
    guest: { port: numberOf("--forward", guest, 1, 0xffff) },
  };
}
