/**
 * A source text as a row of tokens in which only its structure is left: comments and layout are dropped,
 * every name is one name, every number one number, every string one string.
 *
 * By TypeScript's own scanner, which takes any text, however broken.
 */
import ts from "typescript";

/** The tokens of a text, side by side: kinds, and where each begins and ends in the text. */
export interface Tokens {
  readonly text: string;
  readonly kinds: Uint16Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

const { SyntaxKind } = ts;

/** Behind these a slash divides; behind everything else it opens a regular expression. */
const BEFORE_DIVISION: ReadonlySet<ts.SyntaxKind> = new Set([
  SyntaxKind.Identifier,
  SyntaxKind.PrivateIdentifier,
  SyntaxKind.NumericLiteral,
  SyntaxKind.BigIntLiteral,
  SyntaxKind.StringLiteral,
  SyntaxKind.RegularExpressionLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateTail,
  SyntaxKind.CloseParenToken,
  SyntaxKind.CloseBracketToken,
  SyntaxKind.CloseBraceToken,
  SyntaxKind.ThisKeyword,
  SyntaxKind.SuperKeyword,
  SyntaxKind.PlusPlusToken,
  SyntaxKind.MinusMinusToken,
  SyntaxKind.ExclamationToken,
]);

/** What is the same by another name: a renamed field may become private, a `let` a `const`. */
const SAME: ReadonlyMap<ts.SyntaxKind, ts.SyntaxKind> = new Map([
  [SyntaxKind.PrivateIdentifier, SyntaxKind.Identifier],
  [SyntaxKind.BigIntLiteral, SyntaxKind.NumericLiteral],
  [SyntaxKind.NoSubstitutionTemplateLiteral, SyntaxKind.StringLiteral],
  [SyntaxKind.LetKeyword, SyntaxKind.ConstKeyword],
  [SyntaxKind.VarKeyword, SyntaxKind.ConstKeyword],
]);

/** What a formatter may put in or leave out. */
const LAYOUT: ReadonlySet<ts.SyntaxKind> = new Set([
  SyntaxKind.SemicolonToken,
  SyntaxKind.CommaToken,
  SyntaxKind.OpenBraceToken,
  SyntaxKind.CloseBraceToken,
]);

export function tokensOf(text: string): Tokens {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, text, () => {});
  const [kinds, starts, ends]: [number[], number[], number[]] = [[], [], []];
  /** For each open brace, whether it is a template's. */
  const braces: boolean[] = [];
  let last: ts.SyntaxKind = SyntaxKind.Unknown;
  for (let kind = scanner.scan(); kind !== SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    const isSlash = kind === SyntaxKind.SlashToken || kind === SyntaxKind.SlashEqualsToken;
    if (isSlash && !BEFORE_DIVISION.has(last)) kind = scanner.reScanSlashToken();
    if (kind === SyntaxKind.CloseBraceToken && braces.pop()) kind = scanner.reScanTemplateToken(false);
    if (kind === SyntaxKind.OpenBraceToken) braces.push(false);
    if (kind === SyntaxKind.TemplateHead || kind === SyntaxKind.TemplateMiddle) braces.push(true);
    last = kind;
    if (LAYOUT.has(kind)) continue;
    kinds.push(SAME.get(kind) ?? (isName(kind) ? SyntaxKind.Identifier : kind));
    starts.push(scanner.getTokenStart());
    ends.push(scanner.getTokenEnd());
  }
  return {
    text,
    kinds: Uint16Array.from(kinds),
    starts: Uint32Array.from(starts),
    ends: Uint32Array.from(ends),
  };
}

/** Words that may be names, too: `of`, `get`, `type`, … */
function isName(kind: ts.SyntaxKind): boolean {
  return kind > SyntaxKind.LastFutureReservedWord && kind <= SyntaxKind.LastKeyword;
}
