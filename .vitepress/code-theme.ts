/**
 * The colours of code: one pair of themes for the book's blocks and for code frames in a terminal.
 *
 * Every colour keeps a contrast of at least 4.5 : 1 (WCAG 2.1, 1.4.3) on the background of its theme;
 * `site.test.ts` computes it.
 */
import type { ThemeRegistration } from "shiki";

interface Palette {
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly keyword: string;
  readonly string: string;
  readonly number: string;
  readonly call: string;
  readonly type: string;
  readonly fault: string;
}

const LIGHT: Palette = {
  background: "#f6f4ef",
  text: "#2b2924",
  muted: "#6b665b",
  keyword: "#6a3fb0",
  string: "#2c6a2f",
  number: "#934700",
  call: "#00646a",
  type: "#1d59a8",
  fault: "#b3261e",
};

const DARK: Palette = {
  background: "#1a1d22",
  text: "#e2dfd8",
  muted: "#98958d",
  keyword: "#c4a8ff",
  string: "#a5d691",
  number: "#f2ab62",
  call: "#62d2c8",
  type: "#8fbcff",
  fault: "#ff938a",
};

function theme(name: string, type: "light" | "dark", palette: Palette): ThemeRegistration {
  const bold = (foreground: string) => ({ foreground, fontStyle: "bold" });
  return {
    name,
    type,
    colors: { "editor.background": palette.background, "editor.foreground": palette.text },
    settings: [
      { settings: { foreground: palette.text, background: palette.background } },
      {
        scope: ["comment", "punctuation.definition.comment"],
        settings: { foreground: palette.muted, fontStyle: "italic" },
      },
      {
        scope: [
          "keyword",
          "storage",
          "keyword.operator.expression",
          "keyword.operator.new",
          "variable.language",
        ],
        settings: { foreground: palette.keyword },
      },
      { scope: ["keyword.operator", "punctuation", "meta.brace"], settings: { foreground: palette.muted } },
      { scope: ["storage.type.function.arrow"], settings: { foreground: palette.muted } },
      { scope: ["string", "string punctuation.definition.string"], settings: { foreground: palette.string } },
      {
        scope: [
          "constant.numeric",
          "constant.language",
          "constant.character.escape",
          "variable.other.constant",
        ],
        settings: { foreground: palette.number },
      },
      {
        scope: ["entity.name.function", "support.function", "keyword.mnemonic", "keyword.operator.word"],
        settings: { foreground: palette.call },
      },
      {
        scope: [
          "entity.name.type",
          "support.type",
          "support.class",
          "entity.other.inherited-class",
          "storage.type.asm",
        ],
        settings: { foreground: palette.type },
      },
      {
        scope: ["constant.language.register"],
        settings: { foreground: palette.type },
      },
      { scope: ["invalid", "markup.deleted"], settings: { foreground: palette.fault } },
      { scope: ["markup.inserted"], settings: { foreground: palette.string } },

      { scope: ["meta.prompt.vmexit", "meta.rule.vmexit"], settings: { foreground: palette.muted } },
      { scope: ["entity.name.command.vmexit"], settings: bold(palette.text) },
      { scope: ["string.unquoted.guest.vmexit"], settings: bold(palette.number) },
      { scope: ["comment.vmexit"], settings: { foreground: palette.muted, fontStyle: "" } },
      { scope: ["entity.name.exit.io.vmexit"], settings: bold(palette.call) },
      { scope: ["entity.name.exit.mmio.vmexit"], settings: bold(palette.type) },
      { scope: ["entity.name.exit.wait.vmexit"], settings: bold(palette.keyword) },
      { scope: ["entity.name.exit.host.vmexit"], settings: bold(palette.number) },
      { scope: ["entity.name.exit.fault.vmexit"], settings: bold(palette.fault) },
      { scope: ["markup.changed.vmexit"], settings: bold(palette.fault) },
    ],
  };
}

/** Names and colours are fixed; the site picks one by its own dark mode, a terminal takes `dark`. */
export const codeThemes: { readonly light: ThemeRegistration; readonly dark: ThemeRegistration } = {
  light: theme("vmexit-light", "light", LIGHT),
  dark: theme("vmexit-dark", "dark", DARK),
};
