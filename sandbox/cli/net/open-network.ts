/** Opens what a machine's card hangs on, as the command line's options say. */
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import type { NetBackend } from "#layers/07-virtio-net/net-backend.ts";
import { formatIpv4 } from "../../net/addresses.ts";
import { Capture } from "../../net/capture.ts";
import type { SipKey } from "../../net/half-sip-hash.ts";
import { type Forward, UserNetwork } from "../../net/user-network.ts";
import { CaptureFile } from "./capture-file.ts";
import { NodeSockets } from "./node-sockets.ts";
import { Tap } from "./tap.ts";

export interface NetworkOptions {
  readonly clock: Clock;
  /** `user`, `tap`, `tap:NAME` or `none`. */
  readonly kind: string;
  readonly forwards?: readonly Forward[];
  /** A pcapng file to write. */
  readonly capture?: string;
  /** See `UserNetworkOptions`. */
  readonly secret?: SipKey;
  /** Something came from outside: the machine's main loop is to look, even if the guest sleeps. */
  readonly heard: () => void;
  /** What does not work but stops nothing: a forwarded port that is taken, a full disk. */
  readonly complain: (sentence: string) => void;
}

export interface OpenNetwork {
  /** Null for a machine without a card. */
  readonly backend: NetBackend | null;
  /** In a few words, for a status line. */
  readonly description: string;
  close(): void;
}

export class NetworkOptionError extends Error {
  override readonly name = "NetworkOptionError";
}

/** Throws a `NetworkOptionError`, `TapError` or `CaptureFileError`, each with a sentence. */
export function openNetwork(options: NetworkOptions): OpenNetwork {
  const { kind, forwards = [], capture, clock, complain } = options;
  const [, name] = /^tap(?::(.+))?$/.exec(kind) ?? [];
  const isTap = kind === "tap" || name !== undefined;
  if (kind !== "user" && kind !== "none" && !isTap) {
    throw new NetworkOptionError(`there is no network called ${kind}: take user, tap, tap:NAME or none`);
  }
  if (forwards.length > 0 && kind !== "user") {
    throw new NetworkOptionError(
      `ports are forwarded by the user network, and the network is ${kind}: take --net user`,
    );
  }
  if (capture !== undefined && kind === "none") {
    throw new NetworkOptionError("there is nothing to capture without a network: take --net user or tap");
  }
  if (kind === "none") {
    return { backend: null, description: "no network", close() {} };
  }
  // The file first: it is what may fail for a reason that leaves nothing else to undo.
  const file = capture === undefined ? null : new CaptureFile(capture, complain);
  try {
    const network = isTap ? openTap(options, name) : openUser(options);
    if (!file) return network;
    return {
      ...network,
      backend: new Capture({ backend: network.backend!, clock, sink: file.write }),
      description: `${network.description}, captured to ${file.path}`,
      close() {
        network.close();
        file.close();
      },
    };
  } catch (error) {
    file?.close();
    throw error;
  }
}

function openUser({ clock, forwards = [], secret, heard, complain }: NetworkOptions): OpenNetwork {
  const host = new NodeSockets(heard);
  const network = new UserNetwork({ clock, host, forwards, complain, ...(secret && { secret }) });
  const ports = forwards.map(
    ({ protocol, host, guest }) => `${protocol} ${formatIpv4(host.address)}:${host.port} to ${guest.port}`,
  );
  return {
    backend: network,
    description: ["user network", ...ports].join(", "),
    close: () => network.close(),
  };
}

function openTap({ heard, complain }: NetworkOptions, name: string | undefined): OpenNetwork {
  const tap = new Tap({ heard, complain, ...(name === undefined ? {} : { name }) });
  return {
    backend: tap,
    description: `TAP device ${tap.name}`,
    close: () => tap.close(),
  };
}
