/**
 * `npm run grade N gradescope-check`: builds and runs the Gradescope autograder as Gradescope does, in a
 * bare Debian of its own: debootstrap makes the root, setup.sh builds there with the network, and
 * run_autograder grades the reference in it without one. Takes a few minutes, and needs root.
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import type { Chapter } from "../chapter-manifest.ts";
import { Complaint } from "../complaint.ts";
import { gradescopeZip, type NodeArchive } from "./gradescope-zip.ts";
import { ownSubmission } from "./submission.ts";

const SUITE = "bookworm";
const ENVIRONMENT = {
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  DEBIAN_FRONTEND: "noninteractive",
};
/** Where this machine's certificates go, for networks that have an authority of their own. */
const CERTIFICATES = "certificates.pem";

/** Returns what results.json says; throws a complaint that names the step that failed. */
export function checkGradescope(chapters: readonly Chapter[], seed: string, node?: NodeArchive): string {
  if (process.getuid?.() !== 0)
    throw new Complaint("gradescope-check makes a Debian root, which only root can");
  if (spawnSync("debootstrap", ["--version"]).error)
    throw new Complaint("gradescope-check needs debootstrap: apt-get install debootstrap");
  const root = mkdtempSync(join(tmpdir(), "vmexit-gradescope-check-"));
  try {
    run("debootstrap", ["--variant=minbase", "--include=ca-certificates", SUITE, root], process.env);
    layOut(root, chapters, gradescopeZip(chapters, seed, node));
    run("chroot", [root, "bash", "/autograder/source/setup.sh"], withCertificates(root));
    // Namespaces of its own: no network, and mounts that are gone when it ends.
    const script = `mount -t proc proc ${root}/proc && mount --bind /dev ${root}/dev && exec chroot ${root} bash /autograder/source/run_autograder`;
    run("unshare", ["--net", "--mount", "--pid", "--fork", "sh", "-c", script], ENVIRONMENT);
    return readFileSync(join(root, "autograder/results/results.json"), "utf8");
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** As Gradescope lays it out: the zip, a submission, and what is known of its student. */
function layOut(root: string, chapters: readonly Chapter[], zip: Uint8Array): void {
  const put = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(root, "autograder", path)), { recursive: true });
    writeFileSync(join(root, "autograder", path), content);
  };
  for (const [path, bytes] of Object.entries(unzipSync(zip))) put(`source/${path}`, bytes);
  for (const [path, text] of ownSubmission(chapters, "solutions").files) put(`submission/${path}`, text);
  put("submission_metadata.json", JSON.stringify({ users: [{ id: 4711 }] }));
  copyFileSync("/etc/resolv.conf", join(root, "etc/resolv.conf"));
}

function withCertificates(root: string): NodeJS.ProcessEnv {
  const own = process.env["SSL_CERT_FILE"];
  if (!own || !existsSync(own)) return ENVIRONMENT;
  copyFileSync(own, join(root, CERTIFICATES));
  const path = `/${CERTIFICATES}`;
  return { ...ENVIRONMENT, SSL_CERT_FILE: path, CURL_CA_BUNDLE: path, NODE_EXTRA_CA_CERTS: path };
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  console.error(`${file} ${args.slice(0, 3).join(" ")} …`);
  const { status, error, stdout, stderr } = spawnSync(file, args, {
    env,
    encoding: "utf8",
    maxBuffer: 0x400_0000,
  });
  if (status === 0) return;
  const last = (stderr || stdout || error?.message || "").trim().split("\n").slice(-5).join("\n");
  throw new Complaint(`${file} failed with ${status}: ${last}`);
}
