/** The looks of the report, light and dark, and the one way in which text gets into it. */

export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

export const STYLE = `
:root { color-scheme: light dark; --ink: #1d1f23; --paper: #fdfcfa; --dim: #62666d; --line: #d8d5cf;
  --c0: #ffe08a; --c1: #b5e6c0; --c2: #bcdcff; --c3: #f6c6dd; --c4: #d9cdfb; --c5: #ffd0b0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e4df; --paper: #14161a; --dim: #9aa0a8; --line: #33373e;
  --c0: #5c4a00; --c1: #16492a; --c2: #123f6b; --c3: #64203f; --c4: #3d2f73; --c5: #653216; } }
body { margin: 0; color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 110rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
h3 { font-size: 1rem; } h4 { font-size: .9rem; margin: 0 0 .3rem; } a { color: inherit; }
table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: .2rem 1.2rem .2rem 0; }
.share { font-variant-numeric: tabular-nums; white-space: nowrap; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1rem; }
@media (max-width: 60rem) { .pair { grid-template-columns: minmax(0, 1fr); } }
pre { margin: 0; max-height: 36rem; overflow: auto; padding: .8rem; border: 1px solid var(--line);
  font: 13px/1.45 ui-monospace, monospace; tab-size: 2; }
.given, .left { color: var(--dim); } mark { color: inherit; border-radius: 2px; }
.n { display: inline-block; min-width: 1.2em; margin-right: .3em; text-align: center; border: 1px solid currentColor;
  border-radius: 3px; font-size: .85em; text-decoration: none; }
.n:target { outline: 3px solid currentColor; }
${[0, 1, 2, 3, 4, 5].map(number => `mark.c${number} { background: var(--c${number}); }`).join("\n")}
`;
