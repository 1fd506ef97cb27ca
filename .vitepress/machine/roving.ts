/**
 * One tab stop for many buttons: the arrow keys move among them (WAI-ARIA Authoring Practices, "Roving tabindex").
 * Use as `@keydown="moveFocus($event, columns)"` on the element around the buttons.
 */
export function moveFocus(
  event: KeyboardEvent,
  columns = 1,
  group = event.currentTarget as HTMLElement,
): void {
  const target = event.target as HTMLElement;
  if (target instanceof HTMLInputElement) return;
  const items = [...group.querySelectorAll<HTMLElement>("[data-roving]")];
  const at = items.indexOf(target.closest<HTMLElement>("[data-roving]")!);
  if (at < 0) return;
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    Home: -at,
    End: items.length - 1 - at,
  };
  const step = steps[event.key];
  const next = step === undefined ? undefined : items[at + step];
  if (!next) return;
  event.preventDefault();
  event.stopPropagation();
  for (const item of items) item.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
