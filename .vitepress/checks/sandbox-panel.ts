/** The sandbox page, as the tests in a browser use it. */
import type { Locator, Page } from "playwright-core";

export function machine(page: Page, name: "A" | "B"): Locator {
  return page.getByRole("region", { name: `Machine ${name}`, exact: true });
}

export async function atPrompt(within: Locator): Promise<void> {
  await within.getByRole("log").filter({ hasText: /\n> $/ }).waitFor();
  // The terminal is fetched meanwhile.
  await within.getByLabel(/^Type to machine/).waitFor({ state: "attached" });
}

export async function said(within: Locator): Promise<string> {
  return (await within.getByRole("log").textContent()) ?? "";
}

/** Types a command into the terminal, waits until it is carried out, and tells whether this was the answer. */
export async function says(within: Locator, command: string, answer: RegExp): Promise<boolean> {
  await within.getByLabel(/^Type to machine/).focus();
  await within.page().keyboard.type(`${command}\r`);
  const log = within.getByRole("log");
  await log.filter({ hasText: new RegExp(`(^|> )${command}\\n[^>]*\\n> $`) }).waitFor();
  return answer.test((await said(within)).split(`${command}\n`).at(-1)!);
}
