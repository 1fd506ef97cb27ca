/**
 * Gives every code block that is imported from a file a bar with the file's real path, linked to those
 * very lines in the repository.
 *
 * A block is imported by `<<< @/../solutions/01-minimal-vm/vmm.ts#run-guest`; a missing file or region
 * fails the build. With `{ts twoslash}` its names show their types (typed-names.ts). A binary file (`*.bin`) is shown as a hex dump. Outputs (docs/outputs) show their command in their first line and get no bar.
 */
import { readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { MarkdownRenderer } from "vitepress";
import { sourceUrl } from "../repository.ts";
import { hexDump } from "./hex-dump.ts";
import { regionLines } from "./regions.ts";
import { partInfo } from "./seen-in-file.ts";
import { askForTypesOf, asksForTypes } from "./typed-names.ts";

const ROOT = join(import.meta.dirname, "../..");

export function sourceBlocks(md: MarkdownRenderer): void {
  const renderFence = md.renderer.rules.fence;
  if (!renderFence) throw new Error("markdown-it has no fence rule to extend");
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]!;
    const { src, region } = (token.meta ?? {}) as { src?: string; region?: string };
    if (src?.endsWith(".bin")) {
      token.meta = {};
      token.content = hexDump(readFileSync(src));
    }
    if (!src) return renderFence(tokens, index, options, env, self);
    const path = relative(ROOT, src).split(sep).join("/");
    const isTyped = asksForTypes(token.info);
    if (isTyped) token.info = askForTypesOf(token.info, path, region);
    if (region) token.info = partInfo(token.info, path, region);
    const html = renderFence(tokens, index, options, env, self);
    if (path.startsWith("docs/outputs/")) return html;
    return `<div class="source-block">${fileBar(path, src, region, isTyped)}${html}</div>`;
  };
}

function fileBar(path: string, file: string, region: string | undefined, isTyped: boolean): string {
  const bytes = path.endsWith(".bin") ? `${statSync(file).size} bytes` : "";
  const lines = region ? regionLines(readFileSync(file, "utf8"), region) : undefined;
  const url = sourceUrl(path, lines);
  const cut = path.lastIndexOf("/") + 1;
  const label = `<span class="folder">${path.slice(0, cut)}</span><wbr>${path.slice(cut)}`;
  const where = lines ? `lines ${lines.first}–${lines.last}` : bytes;
  const name = url
    ? `<a class="path" href="${url}" target="_blank" rel="noreferrer">${label}</a>`
    : `<span class="path">${label}</span>`;
  const note = [where, isTyped ? "names show their types" : ""].filter(Boolean).join(" · ");
  return `<div class="file-bar">${name}${note && `<span class="lines">${note}</span>`}</div>`;
}
