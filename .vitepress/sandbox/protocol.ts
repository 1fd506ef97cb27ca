/** What the page and the worker with the sandbox's machines say to each other: plain data. */
import type { CodeLine } from "../../sandbox/session/code-window.ts";
import type { ProcessorMode, ShownRegister } from "../../sandbox/session/registers.ts";

/** The two machines that the page has room for. */
export const SLOTS = ["a", "b"] as const;
export type Slot = (typeof SLOTS)[number];

/** A guest as the machine needs it: the bytes, and what the machine around them is to be. */
export interface GuestFiles {
  /** For messages, as in "the embedded guest". */
  readonly name: string;
  readonly image: Uint8Array;
  readonly initrd?: Uint8Array | undefined;
  readonly commandLine: string;
  /** Bytes. */
  readonly memorySize: number;
  /** How the guest looks for its network card. */
  readonly transport: "mmio" | "pci";
}

export interface MemoryLook {
  /** Null: where the instruction pointer is. */
  readonly address: number | null;
  readonly space: "linear" | "physical";
  readonly length: number;
}

export interface Requests {
  /** Ends the machine in this slot and boots another one there. */
  readonly boot: { readonly slot: Slot; readonly guest: GuestFiles };
  /** The machine in this slot is replaced, unless the file is refused. */
  readonly restore: { readonly slot: Slot; readonly file: Uint8Array };
  readonly save: { readonly slot: Slot };
  readonly pause: { readonly slot: Slot };
  readonly resume: { readonly slot: Slot };
  /** Boots the same guest again. */
  readonly reset: { readonly slot: Slot };
  readonly off: { readonly slot: Slot };
  readonly type: { readonly slot: Slot; readonly bytes: Uint8Array };
  readonly look: { readonly slot: Slot; readonly memory: MemoryLook };
  /** All frames that are kept, as a pcapng file. */
  readonly packets: { readonly slot: Slot };
  /** Fetches a page of the guest's web server through the network. */
  readonly fetch: { readonly slot: Slot; readonly path: string };
}

export interface Answers {
  readonly boot: null;
  readonly restore: null;
  readonly save: Uint8Array;
  readonly pause: null;
  readonly resume: null;
  readonly reset: null;
  readonly off: null;
  readonly type: null;
  readonly look: MonitorView;
  readonly packets: Uint8Array;
  readonly fetch: FetchedPage;
}

export type RequestName = keyof Requests;

export interface RequestMessage<Name extends RequestName = RequestName> {
  readonly id: number;
  readonly name: Name;
  readonly body: Requests[Name];
}

export type WorkerMessage =
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "refusal"; readonly id: number; readonly sentence: string }
  | { readonly kind: "output"; readonly slot: Slot; readonly bytes: Uint8Array }
  | { readonly kind: "status"; readonly slot: Slot; readonly status: MachineStatus | null };

export interface FrameCounters {
  /** Frames and bytes that the guest sent. */
  readonly sent: number;
  readonly sentBytes: number;
  readonly received: number;
  readonly receivedBytes: number;
}

export interface MachineStatus {
  readonly guest: string;
  readonly state: "running" | "asleep" | "paused" | "ended";
  /** How it ended, in a sentence; empty before. */
  readonly end: string;
  /** Bytes. */
  readonly memorySize: number;
  /** Nanoseconds. */
  readonly guestTime: number;
  readonly exits: number;
  /** Instructions a second since the last status. */
  readonly rate: number;
  /** The address that the network knows it by; empty if it knows none. */
  readonly address: string;
  readonly frames: FrameCounters;
  /** A restored machine has no image to boot again. */
  readonly canReset: boolean;
}

export interface FetchedPage {
  readonly address: string;
  /** As in "HTTP/1.0 200 OK". */
  readonly status: string;
  readonly body: string;
}

export interface SeenFrame {
  /** Counts from 1. */
  readonly number: number;
  /** Guest time in nanoseconds. */
  readonly time: number;
  readonly direction: "to guest" | "from guest";
  readonly protocol: string;
  readonly text: string;
  readonly length: number;
}

/** What the monitor panel shows of a machine at one moment. */
export interface MonitorView {
  readonly mode: ProcessorMode;
  readonly privilege: number;
  /** CS:IP. */
  readonly where: string;
  readonly ip: number;
  readonly registers: readonly ShownRegister[];
  /** Empty while the disassembler is still on its way. */
  readonly code: readonly CodeLine[];
  readonly memory: {
    readonly address: number;
    readonly space: "linear" | "physical";
    /** -1 where nothing is mapped. */
    readonly bytes: readonly number[];
  };
  /** Each device's saved state, indented JSON. */
  readonly devices: readonly { readonly name: string; readonly state: string }[];
  /** The last lines of the exit log. */
  readonly exits: readonly string[];
  readonly frames: readonly SeenFrame[];
}
