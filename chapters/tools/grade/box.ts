/** A box: the one folder that a submission's process may read. */
import { chmodSync, copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import type { BoxFiles, Ground } from "./ground.ts";

const HERE = import.meta.dirname;

/** Folders of this run that boxes are copied from and made in. */
export class Boxes {
  readonly #root = mkdtempSync(join(tmpdir(), "vmexit-grade-"));
  readonly #stored = new Map<string, Promise<string>>();
  #count = 0;

  constructor() {
    chmodSync(this.#root, 0o755); // Another user reads its box, and only that.
  }

  /** Makes a box with the program, the grounds and a submission's modules. */
  async make(grounds: readonly Ground[], modules: BoxFiles): Promise<string> {
    const box = join(this.#root, `box-${++this.#count}`);
    mkdirSync(box, { mode: 0o755 });
    const program = await this.#program();
    placeFile(program, join(box, "serve.mjs"));
    for (const ground of grounds) {
      mkdirSync(join(box, ground.chapter, "ground"), { recursive: true, mode: 0o755 });
      const stored = await this.#store(ground);
      for (const path of ground.files.keys()) placeFile(join(stored, path), join(box, path));
    }
    writeFiles(box, modules);
    return box;
  }

  delete(box: string): void {
    rmSync(box, { recursive: true, force: true });
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #program(): Promise<string> {
    const made =
      this.#stored.get("serve") ??
      serveBundle().then(text => {
        const path = join(this.#root, "serve.mjs");
        writeFileSync(path, text, { mode: 0o644 });
        return path;
      });
    this.#stored.set("serve", made);
    return made;
  }

  #store(ground: Ground): Promise<string> {
    const made =
      this.#stored.get(ground.digest) ??
      Promise.resolve().then(() => {
        const folder = join(this.#root, `ground-${ground.digest.slice(0, 16)}`);
        writeFiles(folder, ground.files);
        return folder;
      });
    this.#stored.set(ground.digest, made);
    return made;
  }
}

/**
 * Gives a box a file that all boxes have: a second name of the same file, which is a fifth of the work of a
 * copy. Who could change it through the box could change the one that copies are made of.
 */
function placeFile(stored: string, path: string): void {
  try {
    linkSync(stored, path);
  } catch {
    copyFileSync(stored, path); // This file system has no links.
  }
}

function writeFiles(folder: string, files: BoxFiles): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(folder, path), text, { mode: 0o644 });
  }
}

/** The program of a box, in one module. */
export async function serveBundle(): Promise<string> {
  const result = await build({
    entryPoints: [join(HERE, "serve.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "silent",
  });
  return result.outputFiles[0]!.text;
}
