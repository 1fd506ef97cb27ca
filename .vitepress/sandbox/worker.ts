/// <reference types="vite/client" />
/** The worker in which the sandbox's machines live, and what it gives them of the browser. */
import { loadDisassembler } from "../../chapters/tools/disassembly.ts";
import { Lab } from "./lab.ts";
import type { PageHost } from "./page-host.ts";
import type { RequestMessage, WorkerMessage } from "./protocol.ts";

/** `getRandomValues` gives no more at once (Web Cryptography API, 10.1.1). */
const MOST_RANDOM_BYTES = 65_536;

/** A turn of the event loop that no browser makes wait four milliseconds, as it does with nested timeouts. */
const turns: (() => void)[] = [];
const { port1, port2 } = new MessageChannel();
port1.onmessage = () => turns.shift()?.();

const host: PageHost = {
  soon(callback) {
    turns.push(callback);
    port2.postMessage(null);
  },
  later(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  monotonic: () => performance.now() * 1e6,
  date: () => Date.now(),
  randomBytes(bytes) {
    for (let at = 0; at < bytes.length; at += MOST_RANDOM_BYTES) {
      // Guest memory may not be given to it.
      const random = new Uint8Array(Math.min(MOST_RANDOM_BYTES, bytes.length - at));
      bytes.set(crypto.getRandomValues(random), at);
    }
  },
};

const lab = new Lab({
  host,
  post: message => self.postMessage(message satisfies WorkerMessage),
  loadDisassembler,
});

self.onmessage = ({ data }: MessageEvent<RequestMessage>) => lab.receive(data);

/** An unexpected failure of a promise is one of the worker, as any other is. */
self.addEventListener("unhandledrejection", ({ reason }) =>
  setTimeout(() => {
    throw reason;
  }),
);
