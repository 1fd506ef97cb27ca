/** What can be done to a machine by a button or a key, and when. */
import type { LiveMachine } from "./use-machine.ts";
import type { ChapterView } from "./views.ts";

export interface MachineAction {
  readonly key: string;
  /** The accessible name; it contains the text on the button. */
  readonly name: string;
  readonly text: string;
  /** The path of an icon of 16 × 16. */
  readonly icon: string;
  readonly can: boolean;
  act(): unknown;
}

const ICONS = {
  run: "M4 2.5v11l9-5.5z",
  pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z",
  step: "M3 3v10l6-5zM10.5 3h2.2v10h-2.2z",
  back: "M13 3v10L7 8zM5.5 3H3.3v10h2.2z",
  exit: "M2 3h6v2H4v6h4v2H2zM9 4.5 13.5 8 9 11.5V9H6V7h3z",
  handler: "M9 1 3 9h4l-1 6 6-8H8z",
  reset: "M8 2.5a5.5 5.5 0 1 0 5.5 5.5h-2A3.5 3.5 0 1 1 8 4.5V7l4-3.5L8 0z",
  frame: "M1.5 4h9v8h-9zM3 5.2v.6l3 2.2 3-2.2v-.6L6 7.2zM11.5 4.5 15 8l-3.5 3.5z",
} as const;

const GOALS = {
  handler: { key: "h", name: "Run to handler or ring", text: "To handler", icon: ICONS.handler },
  frame: { key: "p", name: "Run to packet", text: "To packet", icon: ICONS.frame },
} as const;

/** In the order of the buttons; the first runs and pauses. */
export function machineActions(machine: LiveMachine, goal: ChapterView["goal"]): MachineAction[] {
  const isStarting = machine.power.value === "starting";
  const isStill = !machine.isRunning.value && !isStarting;
  const canGoOn = isStill && machine.canGoOn.value;
  const run: MachineAction = machine.isRunning.value
    ? { key: "r", name: "Pause", text: "Pause", icon: ICONS.pause, can: true, act: () => machine.pause() }
    : { key: "r", name: "Run", text: "Run", icon: ICONS.run, can: canGoOn, act: () => machine.run() };
  const further: MachineAction | undefined = goal && {
    ...GOALS[goal],
    can: canGoOn,
    act: () => machine.run(goal),
  };
  return [
    run,
    {
      key: "b",
      name: "Step back",
      text: "Back",
      icon: ICONS.back,
      can: isStill && machine.canGoBack.value,
      act: () => machine.stepBack(),
    },
    { key: "s", name: "Step", text: "Step", icon: ICONS.step, can: canGoOn, act: () => machine.step() },
    {
      key: "e",
      name: "Run to exit",
      text: "To exit",
      icon: ICONS.exit,
      can: canGoOn,
      act: () => machine.run("exit"),
    },
    ...(further ? [further] : []),
    {
      key: "0",
      name: "Reset",
      text: "Reset",
      icon: ICONS.reset,
      can: machine.power.value !== "off" && !isStarting,
      act: () => machine.reset(),
    },
  ];
}
