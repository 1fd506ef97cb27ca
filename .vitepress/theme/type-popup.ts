/**
 * The popup that shows a name's type: one for the page, for a pointer that rests on a name, a tap, or the focus.
 * Arrow keys go from name to name, Escape closes it (WAI-ARIA Authoring Practices, "Tooltip"; WCAG 2.2, 1.4.13).
 */
import { moveFocus } from "../machine/roving.ts";

const ID = "type-popup";
/** Pixels between the popup and the edge of the window. */
const MARGIN = 8;

let popup: HTMLElement | undefined;
let shown: HTMLElement | undefined;

/** Call once, in the browser. */
export function showTypesOnHover(): void {
  document.addEventListener("pointerover", ({ target }) => {
    const name = typedName(target);
    if (name) show(name);
    else if (!within(target) && shown !== document.activeElement) hide();
  });
  document.addEventListener("click", ({ target }) => {
    const name = typedName(target);
    if (name) show(name);
    else if (!within(target)) hide();
  });
  document.addEventListener("focusin", ({ target }) => {
    const name = typedName(target);
    if (name?.matches(":focus-visible")) show(name);
    else if (!within(target)) hide();
  });
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") hide();
    const block = typedName(event.target)?.closest<HTMLElement>(".has-types");
    if (block) moveFocus(event, 1, block);
  });
  addEventListener("scroll", () => hide(), { passive: true, capture: true });
  addEventListener("resize", () => hide());
}

function typedName(target: EventTarget | null): HTMLElement | undefined {
  return (target instanceof Element && target.closest<HTMLElement>(".typed")) || undefined;
}

function within(target: EventTarget | null): boolean {
  return target instanceof Node && popup !== undefined && popup.contains(target);
}

function show(name: HTMLElement): void {
  if (shown === name) return;
  hide();
  const element = (popup ??= makePopup());
  const { type = "", kind = "", says = "" } = name.dataset;
  element.querySelector("small")!.textContent = kind;
  element.querySelector("code")!.textContent = type;
  element
    .querySelector("p")!
    .replaceChildren(...says.split("`").map((part, at) => (at % 2 ? code(part) : part)));
  document.body.append(element);
  element.showPopover?.();
  place(element, name);
  name.setAttribute("aria-describedby", ID);
  shown = name;
}

function code(text: string): HTMLElement {
  const element = document.createElement("code");
  element.textContent = text;
  return element;
}

function hide(): void {
  shown?.removeAttribute("aria-describedby");
  shown = undefined;
  popup?.remove();
}

/** Under the name, or over it where there is no room; never outside of the window. */
function place(element: HTMLElement, name: HTMLElement): void {
  const at = name.getClientRects()[0]!;
  const { width, height } = element.getBoundingClientRect();
  const left = Math.max(MARGIN, Math.min(at.left, innerWidth - width - MARGIN));
  const below = at.bottom + 4;
  const top = below + height > innerHeight - MARGIN ? Math.max(MARGIN, at.top - height - 4) : below;
  element.style.left = `${left}px`;
  element.style.top = `${top}px`;
}

function makePopup(): HTMLElement {
  const element = document.createElement("div");
  element.id = ID;
  element.setAttribute("role", "tooltip");
  element.setAttribute("popover", "manual");
  element.append(
    document.createElement("small"),
    document.createElement("code"),
    document.createElement("p"),
  );
  return element;
}
