/** A copy of the project in a temporary folder, as a learner's clone: for tests that write in starters. */

import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./chapters.ts";

const COPIED = [
  "vitest.config.ts",
  "chapters",
  "solutions",
  "sandbox",
  ".vitepress/code-theme.ts",
  "package.json",
  "tsconfig.json",
];

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Clone {
  readonly root = mkdtempSync(join(tmpdir(), "vmexit-clone-"));

  constructor() {
    for (const path of COPIED) {
      const filter = (source: string) => !/\/(oracle|bench|node_modules)$/.test(source);
      cpSync(join(ROOT, path), join(this.root, path), { recursive: true, filter });
    }
    symlinkSync(join(ROOT, "node_modules"), join(this.root, "node_modules"));
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
  }

  remove(path: string): void {
    rmSync(join(this.root, path));
  }

  /** Starts a tool of chapters/tools in a process group of its own, as a shell does. */
  start(tool: string, words: readonly string[]) {
    const args = ["--import", "tsx", `chapters/tools/${tool}.ts`, ...words];
    const env = { ...process.env, NO_COLOR: "1", CI: "" };
    return spawn(process.execPath, args, {
      cwd: this.root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env,
    });
  }

  run(tool: string, ...words: string[]): Promise<Outcome> {
    const child = this.start(tool, words);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", chunk => (stdout += chunk));
    child.stderr.on("data", chunk => (stderr += chunk));
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", code => resolve({ code, stdout, stderr }));
    });
  }

  delete(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
