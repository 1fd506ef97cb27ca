/**
 * What the page shows beside a chapter's machine: the view of its layer. It is a component with one prop,
 * `machine`, and is fetched when the machine is switched on. What it shows comes from the layer's own saved state,
 * read by the layer's own code.
 */
import type { Component } from "vue";

export interface ChapterView {
  /** The name of the view's tab. */
  readonly title: string;
  load(): Promise<{ default: Component }>;
  /** What else a run can go on to by a button. */
  readonly goal?: "handler" | "frame";
}

/** By the chapter's folder. A chapter without a line has the tabs that every machine has. */
export const VIEWS: Readonly<Record<string, ChapterView>> = {
  "01-minimal-vm": { title: "Loop", load: () => import("../components/machine/views/LoopView.vue") },
  "02-real-mode": { title: "Addresses", load: () => import("../components/machine/views/RealModeView.vue") },
  "03-paging": { title: "Paging", load: () => import("../components/machine/views/PagingView.vue") },
  "04-interrupts": {
    title: "Interrupts",
    load: () => import("../components/machine/views/InterruptView.vue"),
    goal: "handler",
  },
  "05-pit": { title: "Timer", load: () => import("../components/machine/views/TimerView.vue") },
  "06-serial": { title: "Serial", load: () => import("../components/machine/views/SerialView.vue") },
  "07-virtio-net": {
    title: "Rings",
    load: () => import("../components/machine/views/NetView.vue"),
    goal: "frame",
  },
  "08-linux": { title: "Boot", load: () => import("../components/machine/views/BootView.vue") },
};
