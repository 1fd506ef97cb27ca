/** Node's event loop and clock, for the machine. */
import type { Host } from "../machine/runner.ts";

export const nodeHost: Host & { readonly monotonic: () => number } = {
  soon: callback => setImmediate(callback),
  later: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  monotonic: () => performance.now() * 1e6,
};
