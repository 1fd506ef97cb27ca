/** The grammar of a hex dump: address, bytes, and the same bytes as text between bars. */
import type { LanguageRegistration } from "shiki";

export const hexdumpGrammar: LanguageRegistration = {
  name: "hexdump",
  scopeName: "text.hexdump.vmexit",
  patterns: [
    {
      match: String.raw`^(\$ )(.*)$`,
      captures: { "1": { name: "meta.prompt.vmexit" }, "2": { name: "entity.name.command.vmexit" } },
    },
    {
      begin: String.raw`^\s*((?:0x)?[0-9a-fA-F_]{4,})(:?)(?=\s)`,
      beginCaptures: { "1": { name: "constant.numeric.address.vmexit" }, "2": { name: "meta.rule.vmexit" } },
      end: "$",
      patterns: [
        { match: String.raw`\|.*$`, name: "string.unquoted.vmexit" },
        { match: String.raw`\b(?:00)+\b`, name: "comment.vmexit" },
      ],
    },
  ],
  repository: {},
};
