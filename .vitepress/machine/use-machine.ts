/**
 * A machine as the components see it: what it shows now, and what can be done to it. Its worker, and with it the
 * whole engine, is fetched when somebody first does something.
 */
import { computed, onBeforeUnmount, ref, shallowRef } from "vue";
import type {
  Goal,
  RequestName,
  Requests,
  SourceLine,
  Speed,
  Trouble,
  Update,
} from "../../sandbox/session/protocol.ts";
import type { Logged, Sample } from "../../sandbox/session/session.ts";
import type { MachineView } from "../../sandbox/session/view.ts";
import type { MachineListener, RemoteMachine } from "./remote-machine.ts";

/** Not switched on yet, on its way, there, or gone for good. */
export type Power = "off" | "starting" | "on" | "lost";

/** What views ask by themselves: a problem stays to be read. */
const ONLY_LOOKS: readonly RequestName[] = ["look", "read", "walk"];

const KEPT_LINES = 2000;
const KEPT_SAMPLES = 600;

/** Makes the machine's worker, with a listener that hears of it. */
export type Connect = (listener: MachineListener) => Promise<RemoteMachine>;

const connectSite: Connect = async listener => {
  const { RemoteMachine } = await import("./remote-machine.ts");
  return new RemoteMachine(listener);
};

/** `connect` chooses the layers that the machine is made of: the reference's, if it is left out. */
export function useMachine(chapter: string, firstGuest: string, connect: Connect = connectSite) {
  const guest = ref(firstGuest);
  const power = ref<Power>("off");
  const view = shallowRef<MachineView>();
  const isRunning = ref(false);
  const rest = ref<Update["rest"]>("paused");
  const rate = ref(0);
  const receives = ref(false);
  const problem = ref("");
  /** The line that threw, where the problem is one of a learner's layer. */
  const place = shallowRef<SourceLine>();
  const speed = ref<Speed>("unlimited");
  const log = shallowRef<readonly Logged[]>([]);
  const samples = shallowRef<readonly Sample[]>([]);
  const output = ref("");
  let remote: RemoteMachine | undefined;
  let starting: Promise<void> | undefined;
  /** Counts the workers: what one does that was given up is nobody's. */
  let turn = 0;
  const streams = { log: 0, samples: 0, output: 0 };

  const listener: MachineListener = {
    updated(update) {
      isRunning.value = update.isRunning;
      rest.value = update.rest;
      rate.value = update.rate;
      const { view: seen } = update;
      log.value = joined(log.value, streams.log, seen.log, KEPT_LINES);
      streams.log = seen.log.from + seen.log.entries.length;
      samples.value = joined(samples.value, streams.samples, seen.samples, KEPT_SAMPLES);
      streams.samples = seen.samples.from + seen.samples.entries.length;
      output.value = joinedText(output.value, streams.output, seen.output);
      streams.output = seen.output.from + seen.output.bytes.length;
      view.value = seen;
    },
    failed(trouble) {
      isRunning.value = false;
      tell(trouble);
    },
    lost({ sentence, place }) {
      remote = undefined;
      starting = undefined;
      isRunning.value = false;
      power.value = "lost";
      tell(place ? { sentence, place } : { sentence: `${sentence} Switch it on again to start anew.` });
    },
  };

  function tell(trouble?: Trouble): void {
    problem.value = trouble?.sentence ?? "";
    place.value = trouble?.place;
  }

  function forget(): void {
    Object.assign(streams, { log: 0, samples: 0, output: 0 });
    log.value = [];
    samples.value = [];
    output.value = "";
  }

  /** Switches the machine on, if it is not. */
  function start(): Promise<void> {
    starting ??= begin();
    return starting;
  }

  async function begin(): Promise<void> {
    const mine = ++turn;
    power.value = "starting";
    tell();
    forget();
    try {
      const made = await connect(listener);
      if (mine !== turn) return made.close();
      remote = made;
      ({ receives: receives.value } = await made.request("open", { chapter, guest: guest.value }));
      if (speed.value !== "unlimited") await made.request("speed", { speed: speed.value });
      power.value = "on";
    } catch (error) {
      if (mine !== turn) return;
      remote?.close();
      listener.lost(troubleOf(error));
    }
  }

  /** Ends the worker, if there is one, and starts anew with what `connect` makes now. Breakpoints stay. */
  async function restart(): Promise<void> {
    const breakpoints = view.value?.breakpoints ?? [];
    end();
    isRunning.value = false;
    await start();
    for (const address of breakpoints) await send("toggleBreakpoint", { address });
  }

  function end(): void {
    turn++;
    remote?.close();
    remote = undefined;
    starting = undefined;
  }

  /** What is refused is told in `problem`; the answer is undefined then. */
  async function send<Name extends RequestName>(name: Name, body: Requests[Name]) {
    await start();
    if (!remote) return undefined;
    if (!ONLY_LOOKS.includes(name)) tell();
    try {
      return await remote.request(name, body);
    } catch (error) {
      tell(troubleOf(error));
      return undefined;
    }
  }

  async function choose(name: string): Promise<void> {
    guest.value = name;
    if (power.value !== "on") return start();
    tell();
    isRunning.value = false;
    forget();
    const answer = await send("open", { chapter, guest: name });
    if (answer) receives.value = answer.receives;
  }

  async function reset(): Promise<void> {
    if (power.value === "lost") return start();
    await send("reset", {});
  }

  async function run(until: Goal = "end"): Promise<void> {
    if (isRunning.value) return;
    isRunning.value = true;
    if ((await send("run", { until })) === undefined && problem.value) isRunning.value = false;
  }

  async function setSpeed(wanted: Speed): Promise<void> {
    speed.value = wanted;
    if (power.value === "on") await send("speed", { speed: wanted });
  }

  onBeforeUnmount(end);

  const canGoOn = computed(() => view.value === undefined || view.value.condition === "ready");
  const canGoBack = computed(
    () => view.value !== undefined && view.value.position.instructions + view.value.position.exits > 0,
  );

  return {
    chapter,
    guest,
    power,
    view,
    isRunning,
    rest,
    rate,
    receives,
    problem,
    place,
    speed,
    log,
    samples,
    output,
    canGoOn,
    canGoBack,
    start,
    choose,
    run,
    reset,
    restart,
    setSpeed,
    pause: () => send("pause", {}),
    step: () => send("step", {}),
    stepBack: () => send("stepBack", {}),
    exitBack: () => send("exitBack", {}),
    seek: (instructions: number) => send("seek", { instructions }),
    type: (text: string) => send("type", { bytes: [...new TextEncoder().encode(text)] }),
    toggleBreakpoint: (address: number) => send("toggleBreakpoint", { address }),
    setRegister: (name: string, value: number) => send("setRegister", { name, value }),
    writeMemory: (body: Requests["writeMemory"]) => send("writeMemory", body),
    look: (body: Requests["look"]) => send("look", body),
    read: (body: Requests["read"]) => send("read", body),
    walk: (body: Requests["walk"]) => send("walk", body),
    find: (bytes: readonly number[], from: number) => send("find", { bytes, from }),
  };
}

export type LiveMachine = ReturnType<typeof useMachine>;

/** What a page keeps of a stream, with its news; what the news begin before is out of date. */
function joined<Entry>(
  before: readonly Entry[],
  length: number,
  { from, entries }: { readonly from: number; readonly entries: readonly Entry[] },
  most: number,
): readonly Entry[] {
  if (entries.length === 0 && from === length) return before;
  const kept = from <= length ? before.slice(0, Math.max(0, before.length - (length - from))) : [];
  return [...kept, ...entries].slice(-most);
}

function joinedText(
  before: string,
  length: number,
  { from, bytes }: { readonly from: number; readonly bytes: Uint8Array },
): string {
  const kept = from <= length ? before.slice(0, Math.max(0, before.length - (length - from))) : "";
  return kept + Array.from(bytes, byte => String.fromCharCode(byte)).join("");
}

function troubleOf(error: unknown): Trouble {
  const text = error instanceof Error ? error.message : String(error);
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
  return { ...(error as { refusal?: Trouble }).refusal, sentence };
}
