/**
 * Debian's packages by apt-get with a state of its own: another release, another architecture, no
 * privileges, and nothing of the host's package system is touched. apt checks Debian's signature on the
 * lists, and every package against the lists.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const RELEASE = "bookworm";
const ARCHIVE = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Debian's packages cannot be fetched here. */
export class DebianError extends Error {
  override readonly name = "DebianError";
  constructor(
    readonly problem: string,
    readonly remedy: string,
  ) {
    super(`${problem}. ${remedy}`);
  }
}

export interface Package {
  readonly name: string;
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  /** As the signed lists say, in hexadecimal. */
  readonly sha256: string;
}

export type Progress = (what: string, done: number, total: number) => void;

export class Apt {
  readonly #folder: string;
  readonly #environment: NodeJS.ProcessEnv;

  /** Keeps everything in `folder`. */
  constructor(folder: string) {
    for (const program of ["apt-get", "apt-cache", "dpkg-deb", "tar"]) {
      if (spawnSync(program, ["--version"]).error) {
        throw new DebianError(
          `there is no ${program} here to fetch Debian's packages with`,
          "Run it on Debian or Ubuntu, or boot a kernel of your own: npm run sandbox -- --kernel FILE --initrd FILE",
        );
      }
    }
    if (!existsSync(KEYRING)) {
      throw new DebianError(
        "Debian's keys are missing",
        "Install them: apt-get install debian-archive-keyring",
      );
    }
    this.#folder = folder;
    for (const needed of ["lists/partial", "archives/partial"])
      mkdirSync(join(folder, needed), { recursive: true });
    const sources = join(folder, "sources.list");
    writeFileSync(sources, `deb [arch=i386 signed-by=${KEYRING}] ${ARCHIVE} ${RELEASE} main\n`);
    const configuration = join(folder, "apt.conf");
    const settings = [
      ["APT::Architecture", "i386"],
      ["Dir::State", folder],
      ["Dir::State::Lists", join(folder, "lists")],
      ["Dir::State::status", "/dev/null"],
      ["Dir::Cache", folder],
      ["Dir::Etc::sourcelist", sources],
      ["Dir::Etc::sourceparts", "-"],
      ["Acquire::Languages", "none"],
      ["APT::Sandbox::User", ""],
    ];
    writeFileSync(
      configuration,
      `${settings.map(([name, value]) => `${name} "${value}";`).join("\n")}\nAPT::Architectures { "i386"; };\n`,
    );
    this.#environment = { ...process.env, APT_CONFIG: configuration, LC_ALL: "C" };
  }

  /** Fetches the lists of packages. */
  async update(): Promise<void> {
    await this.#run("apt-get", ["-q", "update"]);
  }

  /** The package that a metapackage stands for, e.g. the newest kernel. */
  async dependency(metapackage: string): Promise<string> {
    const text = await this.#run("apt-cache", ["depends", metapackage]);
    const name = /Depends: (\S+)/.exec(text)?.[1];
    if (!name)
      throw new DebianError(`${metapackage} depends on nothing in Debian's lists`, "Try again later");
    return name;
  }

  /** Fetches one package and checks it. */
  async download(name: string, progress: Progress): Promise<Package> {
    const text = await this.#run("apt-get", ["-q", "download", "--print-uris", name]);
    const [, file, size, sha256] = /^'\S+' (\S+) (\d+) SHA256:([0-9a-f]{64})/m.exec(text) ?? [];
    if (!file || !size || !sha256) throw new DebianError(`Debian's lists have no ${name}`, "Try again later");
    const wanted: Package = { name, file: join(this.#folder, file), size: Number(size), sha256 };
    const timer = setInterval(() => progress(name, this.#arrived(wanted), wanted.size), 100);
    try {
      await this.#run("apt-get", ["-q", "download", name]);
    } finally {
      clearInterval(timer);
    }
    progress(name, wanted.size, wanted.size);
    const found = createHash("sha256").update(readFileSync(wanted.file)).digest("hex");
    if (found !== sha256) {
      throw new DebianError(
        `${wanted.file} is not what Debian's lists say (SHA-256 ${found})`,
        "Delete it and try again",
      );
    }
    return wanted;
  }

  /** Unpacks the paths of a package that match `patterns` (tar's wildcards) into `folder`. */
  async unpack({ file }: Package, patterns: readonly string[], folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const script = 'deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner --wildcards "$@"';
    await this.#run("sh", ["-c", script, "sh", file, "-C", folder, ...patterns]);
  }

  /** How much of it is there; apt-get writes straight into the current folder. */
  #arrived({ file, size }: Package): number {
    return existsSync(file) ? Math.min(statSync(file).size, size) : 0;
  }

  #run(program: string, parameters: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, parameters, {
        cwd: this.#folder,
        env: this.#environment,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      let complaints = "";
      child.stdout.on("data", chunk => {
        output += chunk;
      });
      child.stderr.on("data", chunk => {
        complaints += chunk;
      });
      child.on("error", reject);
      child.on("close", code => {
        const failed = /^[EW]: (.*)/m.exec(complaints)?.[1];
        // A list that could not be fetched is only a warning to apt-get, and nothing works without it.
        if (code === 0 && !/^W: (Failed to fetch|Some index files)/m.test(complaints)) resolve(output);
        else {
          const reason = failed ?? complaints.trim().split("\n").at(-1) ?? `exit code ${code}`;
          reject(
            new DebianError(
              `${program} ${parameters.at(0) === "-c" ? "" : parameters.join(" ")}: ${reason}`,
              "Is the network there?",
            ),
          );
        }
      });
    });
  }
}
