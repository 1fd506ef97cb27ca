/**
 * The ladder of isolation: how a submission's process is kept from everything else.
 *
 * Every rung has all of the one below. A grade names its rung; `isolation=LEVEL` asks for at least one,
 * and the grader refuses rather than sink below it. What each rung lets through is in `holes`, and in the
 * book.
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Complaint } from "../complaint.ts";

export const LEVELS = ["node", "uid", "bubblewrap", "container"] as const;
export type Level = (typeof LEVELS)[number];

export interface Isolation {
  readonly level: Level;
  /** What is run for a box, with the user to run as. */
  readonly command: (box: string, isOpen?: boolean) => Command;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  /** What the program itself needs; a submission sees none of it. Nothing unless told. */
  readonly env?: NodeJS.ProcessEnv;
  /** Of a container, whose process is not below the one that is started. */
  readonly container?: Container;
}

export interface Container {
  /** The engine's own for this container: it runs there, and writes there what it has to tell. */
  readonly folder: string;
  /** In that folder: the number of the container's process. */
  readonly pidFile: string;
  /** Ends it, whatever it does, and leaves nothing of it. */
  readonly remove: { readonly file: string; readonly args: readonly string[] };
}

/** What still gets through, in a sentence each. */
export const HOLES: Readonly<Record<Level, readonly string[]>> = {
  node: [
    "a submission that breaks out of the language (a bug of V8) can open network connections, and a Unix socket in a folder of its user: Node's permissions know no network before Node 26",
    "such a submission can also signal processes of the same user, the grader among them",
    "once it is out of Node's permissions as well it can change that user's files, among them those that all boxes share by hard links",
    "Node's permissions are a seat belt and no prison, as Node's manual says itself",
  ],
  uid: [
    "a submission that breaks out of the language can open network connections, and a Unix socket where everybody may write",
    "such a submission can read files that everybody may read",
  ],
  bubblewrap: ["a submission that breaks out of the language and of Node meets the kernel's system calls"],
  container: [
    "a submission that breaks out of the language and of Node meets the container's engine and kernel",
  ],
};

/** Caps of the process itself; the grader's watchdog is stricter. */
export const HEAP_MEGABYTES = 256;
const DATA_KILOBYTES = 1_500_000;
const CPU_SECONDS = 300;

/**
 * A submission runs for a tenth of a second: optimizing its code costs more than it saves, unless that is
 * really hot, and the grader has all processors busy. V8 has other names for it in other versions: its
 * budget of bytecode is 67,584 in Node 20; later it counts calls, 3,000 for TurboFan and 400 for Maglev.
 */
const QUICK = [
  "--single-threaded",
  "--interrupt-budget=1000000",
  "--invocation-count-for-turbofan=45000",
  "--invocation-count-for-maglev=6000",
  "--invocation-count-for-osr=7500",
  "--invocation-count-for-maglev-osr=1500",
];

let quick: readonly string[] | undefined;

/** Those that this Node knows; with one that it does not, it would not start. */
function quickFlags(): readonly string[] {
  if (quick) return quick;
  const known = spawnSync(process.execPath, ["--v8-options"], { encoding: "utf8" }).stdout ?? "";
  quick = QUICK.filter(flag => known.includes(`${flag.split("=")[0]} (`));
  return quick;
}

/** A user and group that own nothing. */
const NOBODY = 65_534;

/** The container's engine, which has to pass a descriptor as podman does (Docker passes none), and the image that has Node. */
const ENGINE = process.env["VMEXIT_GRADE_ENGINE"] ?? "podman";
const IMAGE = process.env["VMEXIT_GRADE_IMAGE"] ?? "docker.io/library/node:22-slim";

/** This machine cannot isolate as it was asked to. */
export class IsolationError extends Complaint {}

/** The best rung of this machine; throws an IsolationError if it is below `least`. */
export function chooseIsolation(least: Level = "node", exactly?: Level): Isolation {
  const wanted = exactly ? [exactly] : [...LEVELS].reverse().filter(isChosenUnasked(least));
  const reasons: string[] = [];
  for (const level of wanted) {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) break;
    const problem = probe(level);
    if (problem === "") return { level, command: (box, isOpen) => COMMANDS[level](box, undefined, isOpen) };
    reasons.push(`${level}: ${problem}`);
  }
  throw new IsolationError(
    `this machine cannot isolate a submission at the level “${exactly ?? least}”, so nothing is graded (${reasons.join("; ")})`,
  );
}

/** A container starts slowly, so it is taken only when it is asked for. */
function isChosenUnasked(least: Level): (level: Level) => boolean {
  return level => level !== "container" || least === "container";
}

const probed = new Map<Level, string>();

/** Why a rung does not hold on this machine; empty where it does. Tries it once. */
export function probe(level: Level): string {
  const known = probed.get(level);
  if (known !== undefined) return known;
  const problem = tryLevel(level);
  probed.set(level, problem);
  return problem;
}

function tryLevel(level: Level): string {
  if (level === "node") return "";
  if (level === "uid" && process.getuid?.() !== 0) return "only root can change to another user";
  const box = mkdtempSync(join(tmpdir(), "vmexit-probe-"));
  try {
    const { file, args, uid, gid, env = {}, container } = COMMANDS[level](box, ["-e", "0"]);
    const { status, stderr, error } = spawnSync(file, args, {
      uid,
      gid,
      env,
      cwd: container?.folder,
      stdio: ["ignore", "pipe", "pipe", "pipe"], // As a submission's process has them.
      timeout: 60_000,
      encoding: "utf8",
    });
    if (container) rmSync(container.folder, { recursive: true, force: true });
    if (error) return `${file}: ${error.message}`;
    return status === 0 ? "" : stderr.trim().split("\n").at(-1) || `${file} ended with ${status}`;
  } finally {
    rmSync(box, { recursive: true, force: true });
  }
}

type CommandOf = (box: string, probe?: readonly string[], isOpen?: boolean) => Command;

const COMMANDS: Readonly<Record<Level, CommandOf>> = {
  node: (box, probing, isOpen) => limited(process.execPath, probing ?? nodeArguments(box, isOpen)),
  uid: (box, probing, isOpen) => ({
    ...limited(process.execPath, probing ?? nodeArguments(box, isOpen)),
    uid: NOBODY,
    gid: NOBODY,
  }),
  bubblewrap: (box, probing, isOpen) =>
    limited("bwrap", [
      ...bubblewrapArguments(box),
      process.execPath,
      ...(probing ?? nodeArguments("/box", isOpen)),
    ]),
  container: (box, probing, isOpen) => containerCommand(box, probing, isOpen),
};

/** The flags that forbid what a submission needs not, and the program that serves it. */
export function nodeArguments(box: string, isOpen = false, version = process.versions.node): string[] {
  const isOld = Number(version.split(".")[0]) < 22;
  const isThis = version === process.versions.node;
  return [
    isOld ? "--experimental-permission" : "--permission",
    `--allow-fs-read=${box}/*`,
    ...(isThis ? quickFlags() : []),
    "--no-addons",
    "--no-warnings",
    // A data base is a file that Node's permissions do not see.
    ...(process.allowedNodeEnvironmentFlags.has("--experimental-sqlite") && isThis
      ? ["--no-experimental-sqlite"]
      : []),
    ...(isOpen ? [] : ["--disallow-code-generation-from-strings"]),
    `--max-old-space-size=${HEAP_MEGABYTES}`,
    `${box}/serve.mjs`,
  ];
}

/**
 * Under the shell's limits: no file grows, no core is dumped, memory and time end. And under Linux the
 * process ends with the grader, however that ends.
 */
export function limited(file: string, args: readonly string[]): Command {
  if (process.platform === "win32") return { file, args };
  if (endsWithParent()) return underLimits("setpriv", ["--pdeathsig", "KILL", file, ...args]);
  return underLimits(file, args);
}

function underLimits(file: string, args: readonly string[]): Command {
  const limits = `ulimit -f 0; ulimit -c 0; ulimit -t ${CPU_SECONDS}; ulimit -d ${DATA_KILOBYTES} 2>/dev/null`;
  return { file: "/bin/sh", args: ["-c", `${limits}; exec "$0" "$@"`, file, ...args] };
}

let hasParentDeathSignal: boolean | undefined;

/** Whether util-linux's setpriv is here, which asks for PR_SET_PDEATHSIG (prctl(2)). */
function endsWithParent(): boolean {
  hasParentDeathSignal ??=
    spawnSync("setpriv", ["--pdeathsig", "KILL", "true"], { stdio: "ignore" }).status === 0;
  return hasParentDeathSignal;
}

/** An own view of the world: the box, Node and its libraries to read, no network, no other process. */
function bubblewrapArguments(box: string): string[] {
  const system = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache"].filter(path =>
    existsSync(path),
  );
  const node = realpathSync(process.execPath);
  return [
    ...["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"],
    ...system.flatMap(path => ["--ro-bind", path, path]),
    ...(node.startsWith("/usr/") ? [] : ["--ro-bind", node, node]),
    ...(process.execPath === node ? [] : ["--ro-bind", node, process.execPath]),
    ...["--ro-bind", box, "/box", "--proc", "/proc", "--dev", "/dev", "--chdir", "/box"],
    ...["--uid", String(NOBODY), "--gid", String(NOBODY), "--hostname", "box"],
    "--",
  ];
}

/**
 * The engine's program is no more than a messenger: the container is the child of a monitor of its own, so
 * it is watched by the number that the engine writes down, ended by its name, and has its limits inside.
 */
function containerCommand(box: string, probing?: readonly string[], isOpen?: boolean): Command {
  const name = `vmexit-${randomBytes(8).toString("hex")}`;
  const folder = join(tmpdir(), name);
  mkdirSync(folder, { mode: 0o700 });
  const pidFile = join(folder, "pid");
  const engineArguments = [
    ...["run", "--rm", `--name=${name}`, `--pidfile=${pidFile}`, "--preserve-fds=1", "--log-driver=none"],
    ...["--network=none", "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--hostname=box"],
    ...["--security-opt=no-new-privileges", `--user=${NOBODY}:${NOBODY}`, "--pids-limit=64", "--memory=1g"],
    ...[`--ulimit=cpu=${CPU_SECONDS}`, "--ulimit=fsize=0", "--ulimit=core=0", "--ulimit=nofile=1024"],
    ...["--ulimit=nproc=1024", `--timeout=${CPU_SECONDS * 2}`],
    ...[`--volume=${box}:/box:ro`, "--workdir=/box", "--entrypoint=node", IMAGE],
    ...(probing ?? nodeArguments("/box", isOpen, "22")),
  ];
  return {
    ...(endsWithParent()
      ? { file: "setpriv", args: ["--pdeathsig", "KILL", ENGINE, ...engineArguments] }
      : { file: ENGINE, args: engineArguments }),
    env: process.env,
    container: {
      folder,
      pidFile,
      remove: { file: ENGINE, args: ["rm", "--force", "--time=0", "--ignore", name] },
    },
  };
}
