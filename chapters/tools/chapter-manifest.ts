/**
 * What a chapter says about itself: `chapters/NN-name/chapter.json`, its types and its check.
 *
 * The manifest feeds the runner, the starters, the graded tests, the grader and the book, so nothing in
 * it is written twice. This file is pure: the page reads manifests too.
 */

/** What a guest needs of an engine; the engine is chosen by it. */
export const GUEST_NEEDS = [
  "real-mode",
  "protected-mode",
  "protected-interrupts",
  "paging32",
  "pae",
  "long-mode",
] as const;
export type GuestNeed = (typeof GUEST_NEEDS)[number];

export interface Chapter {
  /** 1 for `01-minimal-vm`. */
  readonly number: number;
  /** The folder's name, e.g. "01-minimal-vm". */
  readonly name: string;
  readonly title: string;
  readonly guests: readonly Guest[];
  /** Guests that are no part of the book and are fetched when somebody names them. */
  readonly fetched: readonly FetchedGuest[];
  readonly tasks: readonly Task[];
  /** Ids of tasks that an edition has solved already: their tests are left out. */
  readonly given: readonly string[];
  readonly mistakes: readonly Mistake[];
}

/** A guest program of the chapter. Paths are relative to the chapter's folder. */
export interface Guest {
  /** The word that chooses it: `npm run chapter 1 NAME`. */
  readonly name: string;
  readonly source: string;
  readonly image: string;
  readonly needs: readonly GuestNeed[];
  /** What it does, in a sentence. */
  readonly does: string;
}

/** A guest whose image the chapter's main.ts fetches from elsewhere. */
export type FetchedGuest = Pick<Guest, "name" | "needs" | "does">;

/** One thing to write: one or several regions of one layer file, tested by one `describe` of its id. */
export interface Task {
  readonly id: string;
  readonly title: string;
  /** The layer file, relative to the chapter's folder, e.g. "memory.ts". */
  readonly file: string;
  /** Regions to write, each `exercise-…`; a region may have several holes in the file. */
  readonly regions: readonly string[];
  readonly points: number;
  /** 1 to 3 stars. */
  readonly stars: 1 | 2 | 3;
  /** Ids of tasks to finish before. */
  readonly requires: readonly string[];
  /** The heading of the book to read. */
  readonly heading: string;
  /** That heading's anchor on the chapter's page, without `#`. */
  readonly anchor: string;
  /** What to write, in a sentence. */
  readonly write: string;
  /** From a nudge over the method to nearly the code. */
  readonly hints: readonly [nudge: string, method: string, nearly: string];
}

/** A bug that learners make, as an edit of the solution, and the test that tells them. */
export interface Mistake {
  readonly id: string;
  readonly title: string;
  /** The layer file, as in `Task`. */
  readonly file: string;
  /** Text that stands exactly once in the solution's file. */
  readonly find: string;
  readonly replace: string;
  /** "task id › test name" of the graded test that must fail. */
  readonly caughtBy: string;
  /** Text that the failing test's message must contain. */
  readonly says: string;
}

/** A chapter.json that is not as it should be. `path` is where in the document. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
  constructor(
    readonly file: string,
    readonly path: string,
    problem: string,
  ) {
    super(`${file}: ${path ? `${path} ` : ""}${problem}`);
  }
}

/** Checks a parsed chapter.json and returns it typed. `file` is what an error calls it. */
export function parseChapter(document: unknown, file = "chapter.json"): Chapter {
  const root = new Reader(file, "", document);
  const chapter: Chapter = {
    number: root.wholeNumber("number", 1),
    name: root.text("name", /^\d\d-[a-z0-9-]+$/, "two digits and a name, as in “01-minimal-vm”"),
    title: root.text("title"),
    guests: root.list("guests").map(readGuest),
    fetched: root.has("fetched") ? root.list("fetched").map(readFetchedGuest) : [],
    tasks: root.list("tasks").map(readTask),
    given: root.has("given") ? root.texts("given") : [],
    mistakes: root.list("mistakes").map(readMistake),
  };
  root.nothingElse(["$schema", "number", "name", "title", "guests", "fetched", "tasks", "given", "mistakes"]);
  if (Number(chapter.name.slice(0, 2)) !== chapter.number) {
    throw new ManifestError(file, "number", `is ${chapter.number}, but the name is “${chapter.name}”`);
  }
  checkUnique(file, "guests", "name", chapter.guests);
  checkUnique(file, "fetched", "name", [...chapter.guests, ...chapter.fetched]);
  checkUnique(file, "tasks", "id", chapter.tasks);
  checkUnique(file, "mistakes", "id", chapter.mistakes);
  checkTasks(file, chapter);
  return chapter;
}

function checkTasks(file: string, { tasks, mistakes }: Chapter): void {
  const owner = new Map<string, string>();
  tasks.forEach((task, index) => {
    const earlier = tasks.slice(0, index).map(other => other.id);
    for (const id of task.requires) {
      if (!earlier.includes(id)) {
        throw new ManifestError(file, `tasks[${index}].requires`, `names “${id}”, which is no earlier task`);
      }
    }
    for (const region of task.regions) {
      const key = `${task.file}#${region}`;
      const other = owner.get(key);
      if (other) {
        throw new ManifestError(file, `tasks[${index}].regions`, `names ${key}, which is of task “${other}”`);
      }
      owner.set(key, task.id);
    }
  });
  mistakes.forEach((mistake, index) => {
    const task = mistake.caughtBy.split(" › ")[0];
    if (!tasks.some(({ id }) => id === task) || !mistake.caughtBy.includes(" › ")) {
      throw new ManifestError(
        file,
        `mistakes[${index}].caughtBy`,
        "is no “task id › test name” of this chapter",
      );
    }
  });
}

function readGuest(guest: Reader): Guest {
  guest.nothingElse(["name", "source", "image", "needs", "does"]);
  return {
    ...readAnyGuest(guest),
    source: guest.text("source", /^guest\//, "a path in guest/"),
    image: guest.text("image", /^guest\//, "a path in guest/"),
  };
}

function readFetchedGuest(guest: Reader): FetchedGuest {
  guest.nothingElse(["name", "needs", "does"]);
  return readAnyGuest(guest);
}

function readAnyGuest(guest: Reader): FetchedGuest {
  return {
    name: guest.text("name", WORD, "a word of small letters, digits and hyphens"),
    needs: guest.texts("needs").map((need, index) => {
      const known = GUEST_NEEDS.find(name => name === need);
      if (!known) throw guest.error(`needs[${index}]`, `is “${need}”, none of ${GUEST_NEEDS.join(", ")}`);
      return known;
    }),
    does: guest.text("does"),
  };
}

function readTask(task: Reader): Task {
  task.nothingElse([
    ...["id", "title", "file", "regions", "points", "stars", "requires"],
    ...["heading", "anchor", "write", "hints"],
  ]);
  const stars = task.wholeNumber("stars", 1);
  if (stars !== 1 && stars !== 2 && stars !== 3) throw task.error("stars", "are 1, 2 or 3");
  const [nudge, method, nearly, ...more] = task.texts("hints");
  if (!nudge || !method || !nearly || more.length > 0) {
    throw task.error("hints", "are three: a nudge, the method, nearly the code");
  }
  const regions = task.texts("regions");
  if (regions.length === 0) throw task.error("regions", "name at least one region");
  const wrong = regions.find(region => !/^exercise-[a-z0-9-]+$/.test(region));
  if (wrong) throw task.error("regions", `name “${wrong}”, but exercises are called “exercise-…”`);
  return {
    id: task.text("id", WORD, "a word of small letters, digits and hyphens"),
    title: task.text("title"),
    file: task.text("file", /^[a-z0-9-]+\.ts$/, "a layer file, as in “memory.ts”"),
    regions,
    points: task.wholeNumber("points", 1),
    stars,
    requires: task.texts("requires"),
    heading: task.text("heading"),
    anchor: task.text("anchor", /^[^#\s]+$/, "an anchor without “#”"),
    write: task.text("write"),
    hints: [nudge, method, nearly],
  };
}

function readMistake(mistake: Reader): Mistake {
  mistake.nothingElse(["id", "title", "file", "find", "replace", "caughtBy", "says"]);
  return {
    id: mistake.text("id", WORD, "a word of small letters, digits and hyphens"),
    title: mistake.text("title"),
    file: mistake.text("file", /^[a-z0-9-]+\.ts$/, "a layer file, as in “memory.ts”"),
    find: mistake.text("find"),
    replace: mistake.string("replace"),
    caughtBy: mistake.text("caughtBy"),
    says: mistake.text("says"),
  };
}

const WORD = /^[a-z0-9][a-z0-9-]*$/;

function checkUnique<Name extends string>(
  file: string,
  list: string,
  key: Name,
  items: readonly Readonly<Record<Name, string>>[],
): void {
  items.forEach((item, index) => {
    if (items.findIndex(other => other[key] === item[key]) < index) {
      throw new ManifestError(file, `${list}[${index}].${key}`, `“${item[key]}” is there twice`);
    }
  });
}

/** One object of the document, read field by field, with errors that say where. */
class Reader {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(
    private readonly file: string,
    private readonly path: string,
    value: unknown,
  ) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ManifestError(file, path, "is no object");
    }
    this.#fields = value as Record<string, unknown>;
  }

  error(field: string, problem: string): ManifestError {
    return new ManifestError(this.file, this.path ? `${this.path}.${field}` : field, problem);
  }

  string(field: string): string {
    const value = this.#fields[field];
    if (typeof value !== "string") throw this.error(field, value === undefined ? "is missing" : "is no text");
    return value;
  }

  text(field: string, shape = /\S/, expected = "some text"): string {
    const value = this.string(field);
    if (!shape.test(value)) throw this.error(field, `is “${value}” and should be ${expected}`);
    return value;
  }

  wholeNumber(field: string, least: number): number {
    const value = this.#fields[field];
    if (typeof value !== "number" || !Number.isInteger(value) || value < least) {
      throw this.error(field, value === undefined ? "is missing" : `is no whole number from ${least} on`);
    }
    return value;
  }

  texts(field: string): string[] {
    const value = this.#fields[field];
    if (!Array.isArray(value)) throw this.error(field, value === undefined ? "is missing" : "is no list");
    return value.map((item, index) => {
      if (typeof item !== "string") throw this.error(`${field}[${index}]`, "is no text");
      return item;
    });
  }

  has(field: string): boolean {
    return this.#fields[field] !== undefined;
  }

  list(field: string): Reader[] {
    const value = this.#fields[field];
    if (!Array.isArray(value)) throw this.error(field, value === undefined ? "is missing" : "is no list");
    const path = this.path ? `${this.path}.${field}` : field;
    return value.map((item, index) => new Reader(this.file, `${path}[${index}]`, item));
  }

  nothingElse(known: readonly string[]): void {
    const unknown = Object.keys(this.#fields).find(field => !known.includes(field));
    if (unknown) throw this.error(unknown, `is unknown; known are ${known.join(", ")}`);
  }
}
