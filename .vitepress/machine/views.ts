/**
 * What the page shows beside a chapter's machine: the view of its layer, and whether it has a terminal. A layer's
 * view is a component with one prop, `machine`; it is fetched when the machine is switched on.
 */
import type { Component } from "vue";

export interface ChapterView {
  /** The name of the view's tab. */
  readonly title: string;
  load(): Promise<{ default: Component }>;
  /** Whether “to the next handler or ring” is among the buttons. */
  readonly hasHandlers?: boolean;
}

/** By the chapter's folder. A chapter without a line has the tabs that every machine has. */
export const VIEWS: Readonly<Record<string, ChapterView>> = {
  "05-pit": { title: "Timer", load: () => import("../components/machine/views/TimerView.vue") },
};
