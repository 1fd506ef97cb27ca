/**
 * A session behind messages, as it lives in a page's worker. It answers requests between the slices of a run, and
 * tells what there is to see when it has changed.
 */
import type { Disassembler } from "../../chapters/tools/disassembly.ts";
import type { Hypervisor } from "../kvm/api.ts";
import { Pace, type SessionHost } from "./pace.ts";
import type {
  Answers,
  Goal,
  RequestMessage,
  RequestName,
  Requests,
  Rest,
  Trouble,
  WorkerMessage,
} from "./protocol.ts";
import { type RunLimits, Session } from "./session.ts";
import type { BuildMachine } from "./session-machine.ts";
import { isTransfer, placeOf } from "./transfers.ts";
import { translation, walkOf } from "./translation.ts";
import { Viewer } from "./view.ts";

export interface ServerOptions {
  readonly host: SessionHost;
  openEngine(): Hypervisor;
  /** How to build the machine of a chapter with one of its guests. */
  findMachine(chapter: string, guest: string): Promise<BuildMachine>;
  loadDisassembler(): Promise<Disassembler>;
  post(message: WorkerMessage): void;
  /** What is said of an error; its message if this is left out. */
  troubleOf?(error: unknown): Trouble;
}

/** Views are not made more often, in milliseconds. */
const BETWEEN_VIEWS = 33;
/** Steps to a handler between two looks at the clock. */
const STEPS = 500;

type Handlers = {
  readonly [Name in RequestName]: (body: Requests[Name]) => Answers[Name] | Promise<Answers[Name]>;
};

/** Requests that change nothing, so that nothing new is to be seen. */
const ONLY_ASKS: readonly RequestName[] = ["read", "walk", "find"];

/** What a request names is not there, or cannot be. */
class Refusal extends Error {}

export class SessionServer {
  readonly #options: ServerOptions;
  readonly #pace: Pace;
  #session: Session | undefined;
  #viewer: Viewer | undefined;
  #goal: Goal = "end";
  #isFirstSlice = true;
  #rest: Rest = "paused";
  #lastView = { at: Number.NEGATIVE_INFINITY, instructions: 0 };
  #isViewPlanned = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#pace = new Pace(
      options.host,
      limits => this.#guarded(() => this.#slice(limits)) ?? -1,
      () => this.#turned(),
    );
  }

  async receive({ id, name, body }: RequestMessage): Promise<void> {
    const { post } = this.#options;
    try {
      const handler = this.#handlers[name] as (body: unknown) => unknown;
      const value = (await handler(body)) as Answers[RequestName];
      post({ kind: "answer", id, value });
      if (this.#viewer && !ONLY_ASKS.includes(name)) this.#planView();
    } catch (error) {
      post({ kind: "refusal", id, ...this.#troubleOf(error) });
    }
  }

  readonly #handlers: Handlers = {
    open: async ({ chapter, guest }) => {
      this.#pace.stop();
      const build = await this.#options.findMachine(chapter, guest);
      this.#session?.close();
      const session = new Session(build, this.#options.openEngine());
      const viewer = new Viewer(session);
      viewer.disassemble = this.#viewer?.disassemble;
      this.#session = session;
      this.#viewer = viewer;
      this.#rest = "paused";
      if (!viewer.disassemble) void this.#loadDisassembler();
      return { receives: session.machine.receive !== undefined };
    },
    run: ({ until }) => {
      if (isReady(this.#open)) this.#start(until);
    },
    pause: () => this.#pause(),
    step: () => this.#still(session => session.step()),
    stepBack: () => this.#still(session => void session.stepBack()),
    exitBack: () => this.#still(session => session.seekExit(Math.max(0, session.position.exits - 1))),
    seek: ({ instructions }) => this.#still(session => session.seekInstruction(instructions)),
    reset: () =>
      this.#still(session => {
        session.reset();
        this.#viewer!.forget();
      }),
    speed: ({ speed }) => {
      this.#pace.speed = speed;
    },
    type: ({ bytes }) => {
      const session = this.#open;
      const { condition } = session;
      session.type(bytes);
      if (condition === "asleep" && isReady(session)) this.#start("end");
    },
    toggleBreakpoint: ({ address }) => ({ isSet: this.#open.toggleBreakpoint(address) }),
    setRegister: ({ name, value }) => this.#open.setRegister(name, value),
    writeMemory: ({ address, space, bytes }) => {
      const session = this.#open;
      const physical = space === "linear" ? translation(session.machine)(address) : address;
      if (physical < 0) throw new Refusal(`no memory is mapped at linear 0x${address.toString(16)}`);
      session.writeMemory(physical, Uint8Array.from(bytes));
    },
    look: look => {
      this.#viewer!.memoryLook = look;
    },
    read: look => ({ bytes: this.#viewer!.read(look) }),
    walk: ({ linear, access }) => walkOf(this.#open.machine, linear, access),
    find: ({ bytes, from }) => ({ address: find(this.#open, Uint8Array.from(bytes), from) }),
  };

  get #open(): Session {
    if (!this.#session) throw new Refusal("no machine is switched on");
    return this.#session;
  }

  #start(until: Goal): void {
    this.#goal = until;
    this.#isFirstSlice = true;
    this.#pace.start();
  }

  /** Does something to a machine that does not run. */
  #still(act: (session: Session) => void): void {
    this.#pause();
    act(this.#open);
    this.#rest = restOf(this.#open, "paused");
  }

  #pause(): void {
    this.#pace.stop();
    this.#rest = restOf(this.#open, "paused");
  }

  async #loadDisassembler(): Promise<void> {
    const disassemble = await this.#options.loadDisassembler();
    if (!this.#viewer) return;
    this.#viewer.disassemble = disassemble;
    this.#planView();
  }

  // #region running
  #slice({ instructions, exits }: RunLimits): number {
    const session = this.#open;
    const before = session.position;
    const isFirst = this.#isFirstSlice;
    this.#isFirstSlice = false;
    const isOver =
      this.#goal === "handler"
        ? this.#stepToHandler(session, Math.min(STEPS, instructions))
        : this.#runOn(session, { instructions, exits: this.#goal === "end" ? exits : 1 }, isFirst);
    return isOver ? -1 : session.position.instructions - before.instructions;
  }

  #runOn(session: Session, limits: RunLimits, isFirst: boolean): boolean {
    const passed = () => {
      if (this.#goal === "exit") return session.position.exits;
      return this.#goal === "frame" ? (session.machine.passedFrames?.() ?? 0) : 0;
    };
    const before = passed();
    const stop = session.run(limits, isFirst);
    const isThere = passed() > before;
    this.#rest = stop === "limit" ? restOf(session, isThere ? "goal" : "paused") : stop;
    return stop !== "limit" || isThere;
  }

  #stepToHandler(session: Session, steps: number): boolean {
    for (let step = 0; step < steps; step++) {
      if (session.condition !== "ready") break;
      const before = placeOf(session.machine.vcpu);
      session.step();
      if (!isTransfer(before, placeOf(session.machine.vcpu))) continue;
      this.#rest = "goal";
      return true;
    }
    this.#rest = restOf(session, "paused");
    return session.condition !== "ready";
  }

  /** An error of a layer or device ends the run, with its own words. */
  #guarded<Result>(act: () => Result): Result | undefined {
    try {
      return act();
    } catch (error) {
      this.#pace.stop();
      this.#options.post({ kind: "failure", ...this.#troubleOf(error) });
      return undefined;
    }
  }

  #troubleOf(error: unknown): Trouble {
    const { troubleOf } = this.#options;
    if (troubleOf && !(error instanceof Refusal)) return troubleOf(error);
    return { sentence: error instanceof Error ? error.message : String(error) };
  }
  // #endregion running

  // #region views
  #turned(): void {
    if (!this.#pace.isRunning || this.#options.host.now() - this.#lastView.at >= BETWEEN_VIEWS) this.#show();
  }

  /** A view as soon as the requests that wait are answered. */
  #planView(): void {
    if (this.#isViewPlanned || this.#pace.isRunning) return;
    this.#isViewPlanned = true;
    this.#options.host.soon(() => {
      this.#isViewPlanned = false;
      this.#show();
    });
  }

  #show(): void {
    this.#guarded(() => {
      if (!this.#viewer) return;
      const now = this.#options.host.now();
      const view = this.#viewer.view();
      const { at, instructions } = this.#lastView;
      const rate = ((view.position.instructions - instructions) * 1000) / Math.max(1, now - at);
      this.#lastView = { at: now, instructions: view.position.instructions };
      const isRunning = this.#pace.isRunning;
      this.#options.post({
        kind: "update",
        update: { isRunning, rest: this.#rest, view, rate: isRunning ? Math.max(0, rate) : 0 },
      });
    });
  }
  // #endregion views
}

function isReady({ condition }: Session): boolean {
  return condition === "ready";
}

function restOf(session: Session, otherwise: Rest): Rest {
  return session.condition === "ready" ? otherwise : session.condition;
}

/** The first place of `wanted` from `from` on, then from the beginning; null if it is nowhere. */
function find({ machine: { memory } }: Session, wanted: Uint8Array, from: number): number | null {
  if (wanted.length === 0) return null;
  let first: number | null = null;
  for (const { guestAddress, size } of memory.slots) {
    const bytes = memory.readBytes(guestAddress, size);
    for (let at = bytes.indexOf(wanted[0]!); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
      if (!wanted.every((byte, index) => bytes[at + index] === byte)) continue;
      const address = guestAddress + at;
      if (address >= from) return address;
      first ??= address;
    }
  }
  return first;
}
