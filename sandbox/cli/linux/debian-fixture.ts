/** Debian's kernel for tests: they are skipped, with the reason, where it cannot be fetched. */
import { DebianError } from "./apt.ts";
import { debianLinux } from "./debian.ts";

const silent = () => {};

export async function requireDebian(context: { skip(reason: string): void }): Promise<void> {
  try {
    await debianLinux(silent, silent);
  } catch (error) {
    if (!(error instanceof DebianError)) throw error;
    context.skip(`Debian's packages cannot be fetched: ${error.message}`);
  }
}
