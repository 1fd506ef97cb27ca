/** The sandbox as the components see it. The worker, and with it the engine, is fetched when a machine is switched on. */
import { onBeforeUnmount, ref, shallowRef } from "vue";
import {
  type Answers,
  type GuestFiles,
  type MachineStatus,
  type RequestName,
  type Requests,
  SLOTS,
  type Slot,
} from "./protocol.ts";
import { RemoteLab } from "./remote-lab.ts";
import { findSave, forgetSave, keepSave } from "./saves.ts";
import { Screen } from "./screen.ts";

/** What a reader without eyes on the screen needs of it. */
const TOLD = 1500;
/** Milliseconds. */
const TELL_EVERY = 200;

export interface SavedNote {
  readonly guest: string;
  readonly date: number;
}

function makeMachine(slot: Slot) {
  const screen = new Screen();
  const told = ref("");
  let isTelling = false;
  screen.open({
    write() {
      if (isTelling) return;
      isTelling = true;
      setTimeout(() => {
        isTelling = false;
        told.value = screen.text(TOLD);
      }, TELL_EVERY);
    },
    clear: () => void (told.value = ""),
  });
  return {
    slot,
    screen,
    status: shallowRef<MachineStatus | null>(null),
    /** What is on its way, as in "Fetching the guest…". */
    busy: ref(""),
    problem: ref(""),
    /** Something went well that nobody sees. */
    note: ref(""),
    /** The end of what the guest has printed. */
    told,
  };
}

export type SandboxMachine = ReturnType<typeof makeMachine>;

export function useSandbox() {
  const machines = { a: makeMachine("a"), b: makeMachine("b") };
  /** Why the worker is gone; empty while it is there. */
  const lost = ref("");
  let remote: RemoteLab | undefined;

  function lab(): RemoteLab {
    lost.value = "";
    remote ??= new RemoteLab({
      happened(event) {
        const machine = machines[event.slot];
        if (event.kind === "status") machine.status.value = event.status;
        else machine.screen.write(event.bytes);
      },
      lost(sentence) {
        remote = undefined;
        lost.value = sentence;
        for (const slot of SLOTS) {
          machines[slot].status.value = null;
          machines[slot].busy.value = "";
        }
      },
    });
    return remote;
  }

  function send<Name extends RequestName>(name: Name, body: Requests[Name]): Promise<Answers[Name]> {
    return lab().request(name, body);
  }

  /** Does something that takes a while; what goes wrong is told at the machine. Returns whether it went well. */
  async function attempt(slot: Slot, busy: string, action: () => Promise<unknown>): Promise<boolean> {
    const machine = machines[slot];
    machine.busy.value = busy;
    machine.problem.value = "";
    machine.note.value = "";
    try {
      await action();
      return true;
    } catch (error) {
      machine.problem.value = sentenceOf(error);
      return false;
    } finally {
      machine.busy.value = "";
    }
  }

  function boot(slot: Slot, find: () => Promise<GuestFiles>): Promise<boolean> {
    return attempt(slot, "Fetching the guest…", async () => {
      const guest = await find();
      machines[slot].screen.clear();
      await send("boot", { slot, guest });
    });
  }

  function act(slot: Slot, name: "pause" | "resume" | "reset" | "off"): Promise<boolean> {
    return attempt(slot, "", async () => {
      if (name === "reset" || name === "off") machines[slot].screen.clear();
      await send(name, { slot });
    });
  }

  function type(slot: Slot, bytes: Uint8Array): void {
    if (machines[slot].status.value) void send("type", { slot, bytes });
  }

  function restore(
    slot: Slot,
    read: () => Promise<{ file: Uint8Array; screen?: Uint8Array }>,
  ): Promise<boolean> {
    return attempt(slot, "Restoring…", async () => {
      const { file, screen } = await read();
      await send("restore", { slot, file });
      machines[slot].screen.clear();
      if (screen) machines[slot].screen.write(screen);
      machines[slot].note.value = "The machine goes on where it was saved.";
    });
  }

  function saveHere(slot: Slot): Promise<boolean> {
    const { screen, status, note } = machines[slot];
    return attempt(slot, "Saving…", async () => {
      const file = await send("save", { slot });
      const guest = status.value?.guest ?? "";
      await keepSave(slot, { file, screen: screen.bytes(), guest, date: Date.now() });
      note.value = `Saved in this browser, ${kibibytes(file)}.`;
    });
  }

  function restoreHere(slot: Slot): Promise<boolean> {
    return restore(slot, async () => {
      const kept = await findSave(slot);
      if (!kept) throw new Error("nothing is saved in this browser");
      return kept;
    });
  }

  async function savedHere(slot: Slot): Promise<SavedNote | undefined> {
    try {
      return await findSave(slot);
    } catch {
      return undefined; // a browser that keeps nothing has nothing
    }
  }

  onBeforeUnmount(() => remote?.close());

  return {
    machines,
    lost,
    boot,
    act,
    type,
    restore,
    saveHere,
    restoreHere,
    savedHere,
    forgetHere: (slot: Slot) => forgetSave(slot),
    save: (slot: Slot) => send("save", { slot }),
    look: (slot: Slot, memory: Requests["look"]["memory"]) => send("look", { slot, memory }),
    packets: (slot: Slot) => send("packets", { slot }),
    fetch: (slot: Slot, path: string) => send("fetch", { slot, path }),
    attempt,
  };
}

export type Sandbox = ReturnType<typeof useSandbox>;

export function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

function kibibytes(bytes: Uint8Array): string {
  return `${Math.ceil(bytes.length / 1024).toLocaleString("en")} KiB`;
}
