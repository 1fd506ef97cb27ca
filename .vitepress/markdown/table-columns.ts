/** Tables of three columns are told apart: three do not fit beside each other on a phone. */
import type { MarkdownRenderer } from "vitepress";

export function tableColumns(md: MarkdownRenderer): void {
  md.core.ruler.push("table-columns", ({ tokens }) => {
    for (const [index, token] of tokens.entries()) {
      if (token.type !== "table_open") continue;
      const end = tokens.findIndex(({ type }, at) => at > index && type === "thead_close");
      const columns = tokens.slice(index, end).filter(({ type }) => type === "th_open").length;
      if (columns === 3) token.attrJoin("class", "three");
    }
  });
}
