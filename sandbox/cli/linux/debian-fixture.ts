/** Debian's kernel for tests: they are skipped, with the reason, where it cannot be fetched. */
import type { TestContext } from "vitest";
import { DebianError } from "./apt.ts";
import { debianLinux } from "./debian.ts";

const silent = () => {};

/** What `fetch` brings from Debian; skips the test where it cannot be fetched. */
export async function fetched<Files>(context: TestContext, fetch: () => Promise<Files>): Promise<Files> {
  try {
    return await fetch();
  } catch (error) {
    if (!(error instanceof DebianError)) throw error;
    return context.skip(`Debian's packages cannot be fetched: ${error.message}`);
  }
}

export async function requireDebian(context: TestContext): Promise<void> {
  await fetched(context, () => debianLinux(silent, silent));
}
