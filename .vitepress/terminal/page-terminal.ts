/**
 * A terminal in a page: xterm.js, fetched when there is something to show. It takes font and colours from the
 * element that it stands in, follows the theme, and keeps to the size that its element has room for.
 */
import type { ITerminalOptions, Terminal } from "@xterm/xterm";

const FONT_SIZE = 13;

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

export interface PageTerminalOptions extends ITerminalOptions {
  /** What its field for typing is called. */
  readonly label: string;
  /** The size to take, in characters, where there is room for `room`. */
  sizeIn(room: TerminalSize): TerminalSize;
}

export interface PageTerminal {
  readonly terminal: Terminal;
  /** Takes it off the page. */
  close(): void;
}

/** Opens a terminal in the element that `host` gives; none if that has left the page while xterm.js was fetched. */
export async function openTerminal(
  host: () => HTMLElement | undefined,
  { label, sizeIn, ...options }: PageTerminalOptions,
): Promise<PageTerminal | undefined> {
  const [{ Terminal }, { FitAddon }] = await Promise.all([
    import("@xterm/xterm"),
    import("@xterm/addon-fit"),
    import("@xterm/xterm/css/xterm.css"),
  ]);
  const element = host();
  if (!element) return undefined;
  const style = getComputedStyle(element);
  const terminal = new Terminal({
    fontSize: FONT_SIZE,
    fontFamily: style.fontFamily,
    theme: themeOf(style),
    cursorBlink: false,
    ...options,
  });
  const fitting = new FitAddon();
  terminal.loadAddon(fitting);
  terminal.open(element);
  terminal.textarea?.setAttribute("aria-label", label);

  const resize = () => {
    const room = fitting.proposeDimensions();
    if (!room || Number.isNaN(room.cols) || Number.isNaN(room.rows)) return;
    const { cols, rows } = sizeIn(room);
    terminal.resize(cols, rows);
  };
  resize();
  const size = new ResizeObserver(resize);
  size.observe(element);
  const theme = new MutationObserver(() => {
    terminal.options.theme = themeOf(getComputedStyle(element));
  });
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  return {
    terminal,
    close() {
      size.disconnect();
      theme.disconnect();
      terminal.dispose();
    },
  };
}

function themeOf(style: CSSStyleDeclaration): ITerminalOptions["theme"] {
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    background: colour("--screen"),
    foreground: colour("--screen-text"),
    cursor: colour("--screen-text"),
    selectionBackground: colour("--screen-selection"),
  };
}
