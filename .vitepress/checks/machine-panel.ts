/** The machine of a page, as the tests in a browser use it. */
import type { Locator } from "playwright-core";

export function button(machine: Locator, name: string): Locator {
  return machine.getByRole("button", { name, exact: true });
}

export function status(machine: Locator): Locator {
  return machine.locator("p.status");
}

export function facts(machine: Locator, text: RegExp): Locator {
  return machine.locator(".time span").filter({ hasText: text });
}

export function registers(machine: Locator): Promise<string | null> {
  return machine.getByRole("region", { name: "Registers" }).locator("dl").textContent();
}

/** Pastes it, all at once: so it reaches the guest on any host. */
export async function paste(machine: Locator, text: string): Promise<void> {
  await machine.getByLabel("Type to the guest").evaluate((field, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}
