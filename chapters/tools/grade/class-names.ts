/** Who handed in what, by the names that Canvas, Moodle and GitHub Classroom give to files and folders. */

export interface ClassName {
  /** Names the student's results; the same for all files of one student. */
  readonly id: string;
  readonly name: string;
  /** The number that the learning platform knows the student by; empty where there is none. */
  readonly userId: string;
  /** What the student called it, where the name carries that. */
  readonly file: string;
  /** Grows with each attempt, where the name carries that. */
  readonly attempt: number;
}

/** Canvas: doejane_4711_815_pit.ts, doejane_LATE_4711_815_work-2.zip; name, user, submission, file. */
const CANVAS = /^([a-z0-9-]+)_(?:LATE_)?(\d+)_(\d+)_(.+)$/i;
/** Moodle: “Jane Doe_4711_assignsubmission_file_”, as a folder or before the file's name. */
const MOODLE = /^(.+?)_(\d+)_assignsubmission_(?:file|onlinetext)(?:_(.*))?$/;
const ARCHIVE = /\.(zip|tar|tgz|tar\.gz)$/i;

export function isArchive(entry: string): boolean {
  return ARCHIVE.test(entry);
}

/** Reads one entry of a class's folder. `prefix` is what all of its folders begin with, as “pit-lab-”. */
export function className(entry: string, prefix = ""): ClassName {
  const canvas = CANVAS.exec(entry);
  if (canvas) {
    const [, name = "", userId = "", attempt = "", file = ""] = canvas;
    return { id: safe(`${name}_${userId}`), name, userId, file, attempt: Number(attempt) };
  }
  const moodle = MOODLE.exec(entry);
  if (moodle) {
    const [, name = "", userId = "", file = ""] = moodle;
    return { id: safe(`${name}_${userId}`), name, userId, file, attempt: 0 };
  }
  const bare = entry.replace(ARCHIVE, "");
  const name = prefix && bare.startsWith(prefix) ? bare.slice(prefix.length) : bare;
  return { id: safe(bare), name, userId: "", file: entry, attempt: 0 };
}

/** What the folders of GitHub Classroom share: the assignment's name and a hyphen. */
export function commonPrefix(entries: readonly string[]): string {
  const [first = "", ...others] = entries;
  if (others.length === 0) return "";
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  return first.slice(0, first.slice(0, length).lastIndexOf("-") + 1);
}

/** A name for files of results on any system, and in no shell a surprise. */
function safe(name: string): string {
  const plain = name
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[.-]+/, "");
  return plain.slice(0, 120) || "nameless";
}
