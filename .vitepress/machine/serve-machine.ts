/** What the worker of a machine does, whatever layers it is made of: a session server, and the host's side of it. */
import { loadDisassembler } from "../../chapters/tools/disassembly.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import type { RequestMessage } from "../../sandbox/session/protocol.ts";
import { type ServerOptions, SessionServer } from "../../sandbox/session/server.ts";
import { findBuilding } from "./chapters.ts";
import { IMAGES } from "./guest-images.ts";

async function fetchImage(chapter: string, guest: string): Promise<Uint8Array> {
  const url = IMAGES[`../../chapters/${chapter}/guest/${guest}.bin`];
  if (url === undefined) throw new Error(`chapter ${chapter} has no guest ${guest}`);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Serves until the worker is ended from outside. */
export function serveMachine(troubleOf?: ServerOptions["troubleOf"]): void {
  /** A turn of the event loop that no browser makes wait four milliseconds, as it does with nested timeouts. */
  const turns: (() => void)[] = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => turns.shift()?.();

  const server = new SessionServer({
    host: {
      now: () => performance.now(),
      soon(callback) {
        turns.push(callback);
        port2.postMessage(null);
      },
      later: (milliseconds, callback) => void setTimeout(callback, milliseconds),
    },
    openEngine: openSoft,
    async findMachine(chapter, guest) {
      const [building, image] = await Promise.all([findBuilding(chapter), fetchImage(chapter, guest)]);
      return building(image);
    },
    loadDisassembler,
    post: message => self.postMessage(message),
    ...(troubleOf && { troubleOf }),
  });

  self.onmessage = ({ data }: MessageEvent<RequestMessage>) => void server.receive(data);
}
