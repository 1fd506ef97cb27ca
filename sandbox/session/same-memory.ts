/**
 * An engine that gives the same RAM again to each machine that is made on it: a session makes its machine anew
 * whenever it goes back, and a host gives memory back late.
 */
import type { Capabilities, HostMemory, Hypervisor, Vm } from "../kvm/api.ts";

export class SameMemory implements Hypervisor {
  readonly #blocks: HostMemory[] = [];
  #given = 0;

  constructor(private readonly engine: Hypervisor) {}

  get name(): Hypervisor["name"] {
    return this.engine.name;
  }

  get capabilities(): Capabilities {
    return this.engine.capabilities;
  }

  allocateMemory(size: number, options?: { shared?: boolean }): HostMemory {
    const known = this.#blocks[this.#given];
    if (known?.size !== size) {
      this.#blocks.length = this.#given;
      this.#blocks.push(this.engine.allocateMemory(size, options));
    } else {
      new Uint8Array(known.memory.buffer, known.offset, size).fill(0);
    }
    return this.#blocks[this.#given++]!;
  }

  createVm(): Vm {
    return this.engine.createVm();
  }

  /** Ends the machine that was made, so that the next one finds an empty engine. */
  begin(): void {
    this.engine.close();
    this.#given = 0;
  }

  close(): void {
    this.engine.close();
  }
}
