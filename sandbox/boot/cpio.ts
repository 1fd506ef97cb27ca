/**
 * The archive format of an initial RAM disk: cpio's "new ASCII" format.
 *
 * Source: Linux kernel documentation, "initramfs buffer format"; cpio(5).
 */

const MAGIC = "070701";
const TRAILER = "TRAILER!!!";

const REGULAR = 0o100_000;
const DIRECTORY = 0o040_000;
const SYMLINK = 0o120_000;
const CHARACTER_DEVICE = 0o020_000;

/** One entry; `path` has no leading slash. */
export type ArchiveEntry =
  | { readonly kind: "directory"; readonly path: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly bytes: Uint8Array;
      readonly executable?: boolean;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "device"; readonly path: string; readonly major: number; readonly minor: number };

/** The archive of these entries, in their order; a folder must come before what is in it. */
export function writeCpio(entries: readonly ArchiveEntry[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const add = (bytes: Uint8Array) => {
    pieces.push(bytes);
    length += bytes.length;
    const padding = -length & 3;
    if (padding > 0) pieces.push(new Uint8Array(padding));
    length += padding;
  };
  const encoder = new TextEncoder();
  entries.forEach((entry, index) => {
    const { mode, bytes, major, minor } = describe(entry);
    add(header({ inode: index + 1, mode, size: bytes.length, major, minor, path: entry.path }));
    add(bytes);
  });
  add(header({ inode: 0, mode: 0, size: 0, major: 0, minor: 0, path: TRAILER }));
  const archive = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    archive.set(piece, at);
    at += piece.length;
  }
  return archive;

  function describe(entry: ArchiveEntry) {
    const empty = { bytes: new Uint8Array(0), major: 0, minor: 0 };
    switch (entry.kind) {
      case "directory":
        return { ...empty, mode: DIRECTORY | 0o755 };
      case "file":
        return { ...empty, mode: REGULAR | (entry.executable ? 0o755 : 0o644), bytes: entry.bytes };
      case "link":
        return { ...empty, mode: SYMLINK | 0o777, bytes: encoder.encode(entry.target) };
      case "device":
        return { ...empty, mode: CHARACTER_DEVICE | 0o600, major: entry.major, minor: entry.minor };
    }
  }

  /** 13 numbers of 8 hexadecimal digits and the name with its final zero. Owners and times are 0. */
  function header(of: {
    inode: number;
    mode: number;
    size: number;
    major: number;
    minor: number;
    path: string;
  }): Uint8Array {
    const name = encoder.encode(`${of.path}\0`);
    const links = 1;
    const fields = [of.inode, of.mode, 0, 0, links, 0, of.size, 0, 0, of.major, of.minor, name.length, 0];
    const text = MAGIC + fields.map(field => field.toString(16).padStart(8, "0")).join("");
    return new Uint8Array([...encoder.encode(text), ...name]);
  }
}
