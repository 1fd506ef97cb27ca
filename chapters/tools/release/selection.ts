/** What an edition assigns of each chapter. */
import type { Chapter, Task } from "../chapter-manifest.ts";
import type { Wish } from "./words.ts";

export interface Selected {
  readonly chapter: Chapter;
  /** None where the chapter is not assigned: it is there to read and runs on the reference. */
  readonly tasks: readonly Task[];
  /** Tasks of an assigned chapter that its starters have solved already. */
  readonly given: readonly Task[];
  readonly due: string | undefined;
  /** The reference's source is part of the edition. */
  readonly isOpen: boolean;
}

export function select(chapters: readonly Chapter[], wish: Wish): Selected[] {
  return chapters.map(chapter => {
    const { number, name } = chapter;
    const isAssigned = wish.chapters.has(number);
    const isWanted = ({ id }: Task) => isAssigned && (wish.tasks?.has(`${name}/${id}`) ?? true);
    const opens = wish.open.get(number);
    const tasks = chapter.tasks.filter(isWanted);
    return {
      chapter,
      tasks,
      given: tasks.length > 0 ? chapter.tasks.filter(task => !isWanted(task)) : [],
      due: tasks.length > 0 ? wish.due.get(number) : undefined,
      isOpen: opens !== undefined && opens <= wish.today,
    };
  });
}

/** What stands in place of a hint that would be the whole answer. */
const HELD_BACK = "What is left is the answer itself: ask your instructor, and say what you tried.";

/**
 * The manifest as the edition has it: only what is assigned, no hint that is a whole answer, and no
 * mistake, as each quotes the reference.
 */
export function editionManifest(
  document: object,
  { tasks, given }: Selected,
  isWhole: (hint: string) => boolean,
): object {
  const assigned = tasks.map(({ id }) => id);
  const { tasks: all = [] } = document as { tasks?: { id: string; requires: string[]; hints: string[] }[] };
  const kept = all
    .filter(({ id }) => assigned.includes(id))
    .map(task => ({
      ...task,
      requires: task.requires.filter(id => assigned.includes(id)),
      hints: task.hints.map(hint => (isWhole(hint) ? HELD_BACK : hint)),
    }));
  const left = given.length > 0 ? { given: given.map(({ id }) => id) } : {};
  return { ...document, tasks: kept, ...left, mistakes: [] };
}
