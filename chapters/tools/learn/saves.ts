/** Tells when the learner saves a file; looks at the files itself where the system does not tell. */
import { mkdirSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watch } from "chokidar";
import { ROOT } from "../chapters.ts";

/** An editor writes a file in several steps, a millisecond apart; so many of quiet make one save. */
const QUIET = 20;
const POLL_EVERY = 250;
/** How long to wait for the event of a probe. */
const PROBE_PATIENCE = 1000;

export interface Saves {
  readonly isPolling: boolean;
  close(): Promise<void>;
}

/** Calls `onSave` with paths relative to the root. Only TypeScript files of chapters count. */
export async function watchSaves(
  isPolling: boolean,
  onSave: (paths: readonly string[]) => void,
): Promise<Saves> {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch("chapters", {
    cwd: ROOT,
    ignored: (path, stats) => /[\\/]tools$/.test(path) || (stats?.isFile() === true && !path.endsWith(".ts")),
    ignoreInitial: true,
    usePolling: isPolling,
    interval: POLL_EVERY,
  });
  watcher.on("all", (_event, path) => {
    changed.add(path.replaceAll("\\", "/"));
    clearTimeout(timer);
    timer = setTimeout(() => {
      const paths = [...changed];
      changed.clear();
      onSave(paths);
    }, QUIET);
  });
  await new Promise<void>((resolve, reject) => {
    watcher.once("ready", resolve);
    watcher.once("error", reject);
  });
  return {
    isPolling,
    async close() {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}

/** File systems whose files somebody else may write without our kernel hearing of it (linux/magic.h). */
const REMOTE: Readonly<Record<number, string>> = {
  26985: "NFS",
  20859: "SMB",
  4283649346: "CIFS",
  4266872130: "SMB2",
  16914839: "9P",
  1702057286: "FUSE",
  2020557398: "VirtualBox's shared folder",
};

/** Why file events cannot be trusted here; undefined where they can. */
export async function whyPoll(): Promise<string | undefined> {
  if (process.platform === "linux") {
    const name = REMOTE[statfsSync(ROOT).type >>> 0];
    if (name) return `this folder is on ${name}`;
  }
  return (await eventArrives()) ? undefined : "this system sends no file events";
}

/** Writes a file into our cache and waits for the event. */
async function eventArrives(): Promise<boolean> {
  const folder = join(ROOT, ".cache/learn");
  const probe = join(folder, "probe");
  mkdirSync(folder, { recursive: true });
  writeFileSync(probe, "");
  const watcher = watch(probe, { ignoreInitial: true });
  try {
    return await new Promise<boolean>(resolve => {
      watcher.on("change", () => resolve(true));
      watcher.on("error", () => resolve(false));
      watcher.on("ready", () => {
        setTimeout(() => resolve(false), PROBE_PATIENCE);
        writeFileSync(probe, String(process.hrtime.bigint()));
      });
    });
  } finally {
    await watcher.close();
  }
}
