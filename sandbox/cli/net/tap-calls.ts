/** The functions of the C library that a TAP device needs, by koffi, which is loaded at the first use. */
import { createRequire } from "node:module";
import { TapError } from "./tap.ts";

/** -1 means failed, and `errno` tells why if it is asked before any other call. */
export interface TapCalls {
  open(path: string, flags: number): number;
  close(descriptor: number): number;
  ioctl(descriptor: number, request: number, argument: number): number;
  ioctlBytes(descriptor: number, request: number, argument: Uint8Array): number;
  read(descriptor: number, into: Uint8Array, size: number): number;
  write(descriptor: number, bytes: Uint8Array, size: number): number;
  /** Waits on another thread until the descriptor can be read, or for so many milliseconds. */
  pollReadable(descriptor: number, milliseconds: number, done: (isReadable: boolean) => void): void;
  errno(): number;
}

const POLLIN = 1;

export function loadTapCalls(): TapCalls {
  if (process.platform !== "linux") {
    throw new TapError(`TAP devices are Linux's and this is ${process.platform}: use --net user`);
  }
  try {
    return bind();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new TapError(`TAP devices need koffi, which cannot be loaded (${reason}): use --net user`, {
      cause,
    });
  }
}

function bind(): TapCalls {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const c = koffi.load(null);
  const poll = c.func("poll", "int", ["void *", "ulong", "int"]);
  const read = c.func("read", "long", ["int", "void *", "size_t"]);
  const write = c.func("write", "long", ["int", "void *", "size_t"]);
  return {
    open: c.func("open", "int", ["str", "int"]),
    close: c.func("close", "int", ["int"]),
    ioctl: c.func("ioctl", "int", ["int", "ulong", "uintptr_t"]),
    ioctlBytes: c.func("ioctl", "int", ["int", "ulong", "void *"]),
    read: (descriptor, into, size) => Number(read(descriptor, into, size)),
    write: (descriptor, bytes, size) => Number(write(descriptor, bytes, size)),
    pollReadable(descriptor, milliseconds, done) {
      // struct pollfd: fd (4), events (2), revents (2).
      const request = new Uint8Array(8);
      const view = new DataView(request.buffer);
      view.setInt32(0, descriptor, true);
      view.setInt16(4, POLLIN, true);
      poll.async(request, 1, milliseconds, (_error: unknown, count: number) => {
        done(count > 0 && (view.getInt16(6, true) & POLLIN) !== 0);
      });
    },
    errno: () => koffi.errno(),
  };
}
