/** Writes an edition as a folder that is a git repository of one commit, and as an archive. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import { Complaint } from "../complaint.ts";
import type { Files } from "./edition.ts";

export interface Packed {
  readonly folder: string;
  readonly archive: string;
}

export function pack(files: Files, out: string, name: string, message: string): Packed {
  const folder = join(out, name);
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  commit(folder, message);
  const archive = join(out, `${name}.zip`);
  writeFileSync(
    archive,
    zipSync(Object.fromEntries([...files].map(([path, content]) => [`${name}/${path}`, content]))),
  );
  return { folder, archive };
}

/** One commit and nothing before it: what was never written here cannot be found in its history. */
function commit(folder: string, message: string): void {
  const git = (...args: string[]) => {
    const identity = [
      "-c",
      "user.name=vmexit",
      "-c",
      "user.email=vmexit@example.org",
      "-c",
      "commit.gpgsign=false",
    ];
    execFileSync("git", [...identity, ...args], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  };
  try {
    git("init", "--quiet", "--initial-branch=main");
    git("add", "--all");
    git("commit", "--quiet", `--message=${message}`);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new Complaint("git is missing: the edition is a repository");
    throw error;
  }
}
