/**
 * A Gradescope autograder: a zip with setup.sh, which builds the image once and needs the network, and
 * run_autograder, which grades and needs none (Gradescope, "Autograder Specifications").
 *
 * A grade that cannot be made writes no results.json: Gradescope then says that the autograder failed,
 * and no score is overwritten.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Zippable, zipSync } from "fflate";
import type { Chapter } from "../chapter-manifest.ts";
import { ROOT } from "../chapters.ts";
import { Complaint } from "../complaint.ts";

/** What grading needs of the project; tests, benchmarks and the site are left at home. */
export const PACKED = [
  "chapters",
  "solutions",
  "sandbox",
  ".vitepress/code-theme.ts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];
const LEFT_OUT = /(^|\/)(node_modules|oracle|bench|attacks|golden|honest|comparison)(\/|$)/;
const UNIX = 3;
const NODE = "22.20.0";
/** The npm that comes with it. */
const NPM = "10.9.3";

/** Node's own archive for Linux, which spares setup.sh fetching one. */
export interface NodeArchive {
  readonly ending: "tar.xz" | "tar.gz";
  readonly bytes: Uint8Array;
}

/** The archive at `path`; throws a complaint if its name is none of those that Node's downloads have. */
export function readNodeArchive(path: string): NodeArchive {
  const ending = (["tar.xz", "tar.gz"] as const).find(one => path.endsWith(`.${one}`));
  if (!ending || !existsSync(path))
    throw new Complaint(
      `node= takes one of Node's own archives for Linux, .tar.xz or .tar.gz, not ${path}`,
      2,
    );
  return { ending, bytes: readFileSync(path) };
}

export function gradescopeZip(chapters: readonly Chapter[], seed: string, node?: NodeArchive): Uint8Array {
  const files: Zippable = {};
  for (const path of PACKED) pack(join(ROOT, path), files);
  const words = chapters.map(({ number }) => number).join(" ");
  if (node) files[`node.${node.ending}`] = [node.bytes, { level: 0 }];
  files["setup.sh"] = script(SETUP);
  files["run_autograder"] = script(runAutograder(words, seed));
  return zipSync(files);
}

function pack(path: string, files: Zippable): void {
  const name = relative(ROOT, path);
  if (LEFT_OUT.test(name)) return;
  let entries: string[];
  try {
    entries = readdirSync(path);
  } catch {
    files[`vmexit/${name}`] = readFileSync(path);
    return;
  }
  for (const entry of entries) pack(join(path, entry), files);
}

function script(text: string): Zippable[string] {
  // With the bits that let it be run, where unzip heeds them.
  return [new TextEncoder().encode(text), { os: UNIX, attrs: 0o755 << 16 }];
}

const SETUP = `#!/usr/bin/env bash
# Builds the image: Node, the grader's packages, and bubblewrap for the isolation of submissions.
# Node is the archive in this zip if there is one (npm run grade N gradescope node=FILE), else it comes from
# nodejs.org, or from npm's registry where that cannot be reached.
set -euo pipefail
source="\${AUTOGRADER:-/autograder}/source"
apt-get update
apt-get install -y --no-install-recommends bubblewrap ca-certificates curl xz-utils
case "$(uname -m)" in aarch64) machine=arm64 ;; *) machine=x64 ;; esac
registry=https://registry.npmjs.org
fetch() { curl -fsSL --connect-timeout 20 --retry 2 "$1"; }
from_zip() { ls "$source"/node.tar.* >/dev/null 2>&1 && tar -xf "$source"/node.tar.* --strip-components=1 -C /opt/node; }
from_nodejs_org() { fetch "https://nodejs.org/dist/v${NODE}/node-v${NODE}-linux-$machine.tar.xz" | tar -xJ --strip-components=1 -C /opt/node; }
from_npm() {
  npm=/opt/node/lib/node_modules/npm
  mkdir -p "$npm"
  fetch "$registry/node-linux-$machine/-/node-linux-$machine-${NODE}.tgz" | tar -xz --strip-components=1 -C /opt/node
  fetch "$registry/npm/-/npm-${NPM}.tgz" | tar -xz --strip-components=1 -C "$npm"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js /opt/node/bin/npm
  chmod +x /opt/node/bin/node "$npm/bin/npm-cli.js"
}
mkdir -p /opt/node
from_zip || from_nodejs_org || from_npm
chmod -R go+rX /opt/node
cd "$source/vmexit"
PATH="/opt/node/bin:$PATH" npm ci --no-audit --no-fund
`;

function runAutograder(chapters: string, seed: string): string {
  return `#!/usr/bin/env bash
# Grades one submission. Gradescope reads results/results.json; without one it says that the grader failed.
set -uo pipefail
base="\${AUTOGRADER:-/autograder}"
export PATH="/opt/node/bin:$PATH"
cd "$base/source/vmexit"
student="$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).users?.[0]?.id ?? ""' "$base/submission_metadata.json" 2>/dev/null || true)"
out="$(mktemp -d)"
npm run -s grade ${chapters} one "$base/submission" seed=${JSON.stringify(`${seed}-`)}"$student" format=gradescope out="$out"
[ -f "$out/gradescope.json" ] || exit 1
mkdir -p "$base/results"
cp "$out/gradescope.json" "$base/results/results.json.partial"
mv "$base/results/results.json.partial" "$base/results/results.json"
`;
}
