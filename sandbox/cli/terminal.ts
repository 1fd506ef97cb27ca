/**
 * The host's terminal as the guest's: every key goes to the guest, but for the escape key and the one
 * after it, which are for the machine.
 */

const ESCAPE = 0x1d; // Ctrl-]

export interface TerminalCommands {
  quit(): void;
  save(): void;
  status(): void;
  help(): void;
}

export class Terminal {
  readonly #commands: TerminalCommands;
  readonly #type: (bytes: Uint8Array) => void;
  #isEscaped = false;
  readonly #onData = (chunk: Uint8Array) => this.#receive(chunk);

  /** `type` takes the keys that are for the guest. */
  constructor(type: (bytes: Uint8Array) => void, commands: TerminalCommands) {
    this.#type = type;
    this.#commands = commands;
  }

  open(): void {
    const { stdin } = process;
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.on("data", this.#onData);
    stdin.resume();
  }

  close(): void {
    const { stdin } = process;
    stdin.off("data", this.#onData);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  }

  /** From a pipe every byte is the guest's: there is no key to press. */
  #receive(chunk: Uint8Array): void {
    if (!process.stdin.isTTY) {
      this.#type(chunk);
      return;
    }
    const forGuest: number[] = [];
    for (const byte of chunk) {
      if (this.#isEscaped) {
        this.#isEscaped = false;
        if (byte === ESCAPE || byte === 0x5d) forGuest.push(ESCAPE);
        else this.#command(String.fromCharCode(byte));
      } else if (byte === ESCAPE) this.#isEscaped = true;
      else forGuest.push(byte);
    }
    if (forGuest.length > 0) this.#type(Uint8Array.from(forGuest));
  }

  #command(key: string): void {
    if (key === "q") this.#commands.quit();
    else if (key === "w") this.#commands.save();
    else if (key === "s") this.#commands.status();
    else this.#commands.help();
  }
}
