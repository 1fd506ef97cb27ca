/**
 * The grammar of terminal output in this book: commands, exit log, vCPU dump, and what a guest prints.
 *
 * The exit log has one line an exit: number, reason, what it was about. Which colour a reason has says
 * who acts next: the VMM (IO, MMIO), an interrupt (HLT, IRQ_WINDOW_OPEN), the host (INTR, DEBUG), or
 * nobody, as the guest is lost (SHUTDOWN and the errors).
 */
import type { LanguageRegistration } from "shiki";

/** Reasons by colour; `exit-log.test.ts` holds that every `Exit` of the API is here once. */
export const exitColours = {
  io: ["IO"],
  mmio: ["MMIO"],
  wait: ["HLT", "IRQ_WINDOW_OPEN"],
  host: ["INTR", "DEBUG"],
  fault: ["SHUTDOWN", "FAIL_ENTRY", "INTERNAL_ERROR", "UNKNOWN"],
} as const;

const VALUES = [
  { match: String.raw`"(?:[^"\\]|\\.)*"`, name: "string.quoted.vmexit" },
  { match: String.raw`\b0x[0-9a-fA-F_]+\b`, name: "constant.numeric.hex.vmexit" },
  { match: String.raw`\b(?:out|in|write|read)\b`, name: "keyword.direction.vmexit" },
  { match: String.raw`\b(?:\d+×)?\d+ bytes?\b`, name: "comment.vmexit" },
];

const exits = Object.entries(exitColours).map(([colour, reasons]) => ({
  match: String.raw`^(\s*#\d+\s+)(${reasons.join("|")})\b`,
  captures: {
    "1": { name: "comment.vmexit" },
    "2": { name: `entity.name.exit.${colour}.vmexit` },
  },
}));

export const exitLogGrammar: LanguageRegistration = {
  name: "exit-log",
  scopeName: "text.exit-log.vmexit",
  patterns: [
    {
      match: String.raw`^(\$ )(.*)$`,
      captures: { "1": { name: "meta.prompt.vmexit" }, "2": { name: "entity.name.command.vmexit" } },
    },
    {
      match: "^(guest │ )(.*)$",
      captures: { "1": { name: "comment.vmexit" }, "2": { name: "string.unquoted.guest.vmexit" } },
    },
    {
      begin: "^(wire  │ )",
      beginCaptures: { "1": { name: "comment.vmexit" } },
      end: "$",
      patterns: [
        { match: String.raw`[\d.]+ ms\b`, name: "comment.vmexit" },
        { match: String.raw`\b(?:ARP|ICMP|UDP|TCP|IPv4)\b`, name: "entity.name.exit.mmio.vmexit" },
      ],
    },
    { match: "^rings │ .*$", name: "comment.vmexit" },
    {
      match: "^(── )([^:]+)(:.*)?$",
      captures: {
        "1": { name: "meta.rule.vmexit" },
        "2": { name: "entity.name.command.vmexit" },
        "3": { name: "comment.vmexit" },
      },
    },
    { match: String.raw`^\s+engine: .*$`, name: "comment.vmexit" },
    {
      match: String.raw`^\s+(where|write|read|then)(?=\s{2,})`,
      captures: { "1": { name: "comment.vmexit" } },
    },
    ...exits.map(({ match, captures }) => ({
      begin: match,
      beginCaptures: captures,
      end: "$",
      patterns: VALUES,
    })),
  ],
  repository: {},
};
