/**
 * The few functions of the C library that /dev/kvm needs, behind one small interface.
 *
 * koffi calls them. It is loaded at the first use, so that importing this file costs nothing and works
 * everywhere; another foreign function interface (Node 26 brings `node:ffi`) needs only this file.
 */
import { createRequire } from "node:module";
import { HypervisorError } from "../api.ts";

/** A pointer: x86-64 user addresses have 47 bits, which a double holds exactly. */
export type Address = number;

/**
 * Functions return what the C library returns: -1 means failed, and `errno()` tells why if it is asked
 * before any other call.
 */
export interface NativeLibrary {
  open(path: string, flags: number): number;
  close(descriptor: number): number;
  /** `ioctl` with a plain number, or none, as its argument. */
  ioctl(descriptor: number, request: number, argument: number): number;
  /** `ioctl` with a pointer to the bytes of `argument`, which the kernel may read and write. */
  ioctlBytes(descriptor: number, request: number, argument: Uint8Array): number;
  /** Maps `length` bytes of an open file, shared, readable and writable. */
  mapShared(descriptor: number, length: number): Address;
  unmap(address: Address, length: number): number;
  /** The system call itself, for those that C libraries wrap differently. */
  syscall(number: number, a?: number, b?: number, c?: number, d?: number): number;
  errno(): number;
  /** The address of a typed array's first byte. Its buffer must be kept referenced, and must not grow. */
  addressOf(bytes: Uint8Array): Address;
  /** An ArrayBuffer over mapped memory. It is not to be touched once the memory is unmapped. */
  view(address: Address, length: number): ArrayBuffer;
}

let library: NativeLibrary | undefined;

/** The C library; throws a `HypervisorError` where it cannot be called. */
export function native(): NativeLibrary {
  library ??= load();
  return library;
}

// From <fcntl.h> and <sys/mman.h>, x86-64 Linux.
export const O_RDWR = 0o2;
export const O_CLOEXEC = 0o2_000_000;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

function load(): NativeLibrary {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new HypervisorError("open /dev/kvm", `this is ${process.platform} on ${process.arch}`, {
      remedy: "KVM is part of Linux and this engine speaks x86-64; use the soft engine here",
    });
  }
  try {
    return bind();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new HypervisorError("load koffi", `calling C functions is not possible here (${reason})`, {
      remedy: "Run `npm ci` again without --omit=optional, or use the soft engine",
    });
  }
}

function bind(): NativeLibrary {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  // The program itself: whatever C library it is linked to, glibc or musl, is found through it.
  const c = koffi.load(null);
  const ioctl = ["int", "ulong"] as const;
  const mmap = c.func("mmap", "intptr_t", ["uintptr_t", "size_t", "int", "int", "int", "int64_t"]);
  const syscall = c.func("syscall", "long", ["long", "uintptr_t", "uintptr_t", "uintptr_t", "uintptr_t"]);
  const memmove = c.func("memmove", "uintptr_t", ["void *", "void *", "size_t"]);
  return {
    open: c.func("open", "int", ["str", "int"]),
    close: c.func("close", "int", ["int"]),
    ioctl: c.func("ioctl", "int", [...ioctl, "uintptr_t"]),
    ioctlBytes: c.func("ioctl", "int", [...ioctl, "void *"]),
    mapShared: (descriptor, length) =>
      Number(mmap(0, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)),
    unmap: c.func("munmap", "int", ["uintptr_t", "size_t"]),
    syscall: (number, a = 0, b = 0, c = 0, d = 0) => Number(syscall(number, a, b, c, d)),
    errno: () => koffi.errno(),
    // memmove returns its first argument; moving nothing, it is a way to ask for a pointer.
    addressOf: bytes => Number(memmove(bytes, bytes, 0)),
    view: (address, length) => koffi.view(BigInt(address), length),
  };
}
