/**
 * Finds the allow-listed files of a submission in a folder or an archive, and reads nothing else of it.
 *
 * No symbolic link is followed, nothing is unpacked to the disk, and every size has a bound. What is wrong
 * is a sentence: such a submission is ungradable, and a person should look.
 */
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { basename, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { unzipSync } from "fflate";
import { extract } from "tar-stream";
import { LARGEST_FILE } from "./submission.ts";

/** The files that were found, or why they cannot be had. */
export type Found = { readonly files: ReadonlyMap<string, string> } | { readonly problem: string };

const MOST_ENTRIES = 20_000;
const LARGEST_ARCHIVE = 0x400_0000;
const LARGEST_UNPACKED = 0x1000_0000;
const DEEPEST = 12;

/** Folders in which nothing of a submission lies: packages, history, the reference, rubbish of systems. */
const LEFT_OUT = /(^|\/)(node_modules|\.git|\.cache|solutions|__MACOSX|\._[^/]*)(\/|$)/;

class Problem extends Error {}

/** One entry that may be wanted. */
interface Candidate {
  readonly path: string;
  readonly bytes: Uint8Array | "link" | "large";
}

/** `name` is what a single file was called by its author. */
export async function readFiles(
  path: string,
  allowed: readonly string[],
  name = basename(path),
): Promise<Found> {
  try {
    const wanted = new Wanted(allowed);
    if (statSync(path).isDirectory()) readFolder(path, wanted);
    else if (/\.ts$/i.test(path))
      wanted.take({ path: name.replace(/-\d+(?=\.ts$)/i, ""), bytes: readPlainFile(path) });
    else if (/\.zip$/i.test(path)) readZip(path, wanted);
    else await readTar(path, wanted);
    return { files: wanted.texts() };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    if (
      error instanceof Error &&
      "code" in error &&
      typeof error.code === "string" &&
      /^E[A-Z]+$/.test(error.code)
    ) {
      return { problem: `it cannot be read (${error.code})` };
    }
    throw error;
  }
}

/** Which files are wanted, by their place or, where only one layer has such a file, by their name. */
class Wanted {
  readonly #byName = new Map<string, string[]>();
  readonly #found = new Map<string, Candidate>();

  constructor(allowed: readonly string[]) {
    for (const file of allowed) {
      const name = basename(file);
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), file]);
    }
  }

  /** The allow-listed file that a path stands for. */
  fileOf(path: string): string | undefined {
    if (LEFT_OUT.test(path)) return undefined;
    const files = this.#byName.get(basename(path)) ?? [];
    const placed = files.find(file => `/${path}`.endsWith(`/${file}`));
    if (placed) return placed;
    // In a folder of another layer it is that layer's, wanted or not.
    if (files.length === 0 || /(^|\/)\d\d-[a-z0-9-]+\/[^/]+$/.test(path)) return undefined;
    if (files.length > 1)
      throw new Problem(`${path} may be ${files.join(" or ")}: hand it in with its folder`);
    return files[0];
  }

  take(candidate: Candidate): void {
    const file = this.fileOf(candidate.path);
    if (file === undefined) return;
    if (candidate.bytes === "link") throw new Problem(`${candidate.path} is a link and no file`);
    if (candidate.bytes === "large")
      throw new Problem(`${candidate.path} has more than ${LARGEST_FILE / 1024} KiB`);
    const other = this.#found.get(file);
    if (other && !sameBytes(other.bytes, candidate.bytes)) {
      throw new Problem(`${other.path} and ${candidate.path} are both ${file}, and differ`);
    }
    this.#found.set(file, candidate);
  }

  texts(): Map<string, string> {
    return new Map(
      [...this.#found].sort().map(([file, { path, bytes }]) => [file, textOf(path, bytes as Uint8Array)]),
    );
  }
}

function sameBytes(one: Candidate["bytes"], other: Candidate["bytes"]): boolean {
  return one instanceof Uint8Array && other instanceof Uint8Array && Buffer.compare(one, other) === 0;
}

function textOf(path: string, bytes: Uint8Array): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes).replaceAll("\r\n", "\n");
  } catch {
    throw new Problem(`${path} is no text in UTF-8`);
  }
}

function readFolder(root: string, wanted: Wanted): void {
  let entries = 0;
  const visit = (folder: string, depth: number) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (++entries > MOST_ENTRIES) throw new Problem(`it has more than ${MOST_ENTRIES} files`);
      const path = join(folder, entry.name);
      const name = relative(root, path).replaceAll("\\", "/");
      if (LEFT_OUT.test(name)) continue;
      if (entry.isDirectory() && depth < DEEPEST) visit(path, depth + 1);
      else if (wanted.fileOf(name) === undefined) continue;
      else wanted.take({ path: name, bytes: entry.isFile() ? readPlainFile(path) : "link" });
    }
  };
  visit(root, 0);
}

/** Reads a file that is one: no link, no pipe, no device, even if it has just become one. */
function readPlainFile(path: string): Candidate["bytes"] {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ELOOP") return "link";
    throw error;
  }
  try {
    if (!fstatSync(file).isFile()) return "link";
    const bytes = Buffer.alloc(LARGEST_FILE + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, length);
    }
    return length > LARGEST_FILE ? "large" : bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

function checkSize(path: string): void {
  if (statSync(path).size > LARGEST_ARCHIVE) {
    throw new Problem(`the archive has more than ${LARGEST_ARCHIVE / 0x10_0000} MiB`);
  }
}

function readZip(path: string, wanted: Wanted): void {
  checkSize(path);
  const large: string[] = [];
  let entries = 0;
  let unpacked: Record<string, Uint8Array>;
  try {
    unpacked = unzipSync(readFileSync(path), {
      filter({ name, originalSize }) {
        if (++entries > MOST_ENTRIES) throw new Problem(`it has more than ${MOST_ENTRIES} files`);
        if (wanted.fileOf(name) === undefined) return false;
        if (originalSize > LARGEST_FILE) large.push(name);
        return originalSize <= LARGEST_FILE;
      },
    });
  } catch (error) {
    throw brokenArchive(error);
  }
  for (const name of large) wanted.take({ path: name, bytes: "large" });
  for (const [name, bytes] of Object.entries(unpacked)) wanted.take({ path: name, bytes });
}

async function readTar(path: string, wanted: Wanted): Promise<void> {
  checkSize(path);
  const tar = extract();
  let entries = 0;
  let total = 0;
  tar.on("entry", (header, stream, next) => {
    const parts: Buffer[] = [];
    let length = 0;
    stream.on("data", (data: unknown) => {
      const part = data as Buffer;
      length += part.length;
      total += part.length;
      if (length <= LARGEST_FILE) parts.push(part);
      if (total > LARGEST_UNPACKED) tar.destroy(new Problem("the archive unpacks to too much"));
    });
    stream.on("end", () => {
      try {
        if (++entries > MOST_ENTRIES) throw new Problem(`it has more than ${MOST_ENTRIES} files`);
        const isFile = header.type === "file" || header.type === "contiguous-file";
        const bytes = length > LARGEST_FILE ? "large" : Buffer.concat(parts);
        if (header.type !== "directory") wanted.take({ path: header.name, bytes: isFile ? bytes : "link" });
        next();
      } catch (error) {
        tar.destroy(error as Error);
      }
    });
    stream.resume();
  });
  const isPacked = readFileSync(path)
    .subarray(0, 2)
    .equals(Buffer.from([0x1f, 0x8b]));
  try {
    if (isPacked) await pipeline(createReadStream(path), createGunzip(), tar);
    else await pipeline(createReadStream(path), tar);
  } catch (error) {
    throw brokenArchive(error);
  }
  if (entries === 0) throw new Problem("the archive is empty, or broken");
}

function brokenArchive(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(`the archive is broken (${error instanceof Error ? error.message : String(error)})`);
}
