/** The grammar of a vCPU dump: register names, their values, and a mark at each that changed. */
import type { LanguageRegistration } from "shiki";

export const vcpuDumpGrammar: LanguageRegistration = {
  name: "vcpu-dump",
  scopeName: "text.vcpu-dump.vmexit",
  patterns: [
    { include: "text.exit-log.vmexit" },
    {
      match: String.raw`\b([re]?(?:[abcd]x|[sd]i|[sb]p|ip|flags)|r\d+|[cdefgs]s|tr|ldt|[gi]dt|cr[0-8]|efer)\b(\s*=?\s*)((?:0x)?[0-9a-f_]{4,})?(\*?)`,
      captures: {
        "1": { name: "constant.language.register.vmexit" },
        "3": { name: "constant.numeric.hex.vmexit" },
        "4": { name: "markup.changed.vmexit" },
      },
    },
    { match: String.raw`\b0x[0-9a-fA-F_]+\b`, name: "constant.numeric.hex.vmexit" },
  ],
  repository: {},
};
