/** Prose, as book.md's limits mean it: what a reader reads, without code, tables, figures and answers. */

const WORDS_A_MINUTE = 200;

/** The prose of a page's markdown source. */
export function proseOf(markdown: string): string {
  return markdown
    .replace(/^---\n[\s\S]*?\n---\n/, "")
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, "")
    .replace(/^(`{3,}|~{3,})[\s\S]*?^\1\s*$/gm, "")
    .replace(/^<<<.*$/gm, "")
    .replace(/^\|.*$/gm, "")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<[A-Za-z/](?:"[^"]*"|'[^']*'|[^>"'])*>/g, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\{#[^}]*\}/g, "")
    .replace(/^:::.*$/gm, "")
    .replace(/[`*_#>]/g, "");
}

export function countWords(markdown: string): number {
  return proseOf(markdown).match(/[\p{L}\p{N}][\p{L}\p{N}'’./_-]*/gu)?.length ?? 0;
}

export function minutesToRead(words: number): number {
  return Math.max(1, Math.round(words / WORDS_A_MINUTE));
}
