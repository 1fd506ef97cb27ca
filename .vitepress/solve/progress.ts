/**
 * How far a learner is, for the rings in the sidebar: numbers on the root element, which style sheets read. So a
 * ring needs no script of its own, and is right wherever it is drawn.
 */
import { browserStorage, chaptersOfWork, readWork } from "./kept-work.ts";

/** Tells the style sheets how many exercises of a chapter are done. */
export function showProgress(chapter: string, done: number): void {
  document.documentElement.style.setProperty(`--done-${chapter.slice(0, 2)}`, String(done));
}

/** Tells it of every chapter that the browser keeps work on. */
export function showKeptProgress(): void {
  const storage = browserStorage();
  for (const chapter of chaptersOfWork(storage))
    showProgress(chapter, readWork(storage, chapter).passed.length);
}

/** The ring before a chapter's name: HTML for the sidebar, drawn by theme/progress.css. */
export function progressRing(chapter: string, exercises: number): string {
  const number = chapter.slice(0, 2);
  const style = `--done:var(--done-${number},0);--all:${exercises}`;
  return `<span class="progress" style="${style}"><span class="of">of ${exercises} exercises done</span></span>`;
}
