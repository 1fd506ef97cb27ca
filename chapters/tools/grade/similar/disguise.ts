/** What people do to a copy so that it looks like their own: for the tests. None of it changes what it does. */
import ts from "typescript";
import { findRegions } from "../../regions.ts";
import { type Submission, submissionOf } from "../submission.ts";

export type Disguise = (text: string) => string;

export function disguised(submission: Submission, id: string, ...disguises: readonly Disguise[]): Submission {
  const texts = [...submission.files].map(
    ([file, text]) => [file, disguises.reduce((changed, disguise) => disguise(changed), text)] as const,
  );
  return submissionOf(id, new Map(texts));
}

/** Every name, where it is declared and where it is used. */
export const renamed: Disguise = text =>
  eachToken(text, (token, kind) =>
    kind === ts.SyntaxKind.Identifier || kind === ts.SyntaxKind.PrivateIdentifier ? `${token}Of2` : token,
  );

/** Numbers in another base. */
export const otherNumbers: Disguise = text =>
  eachToken(text, (token, kind) =>
    kind === ts.SyntaxKind.NumericLiteral && /^\d+$/.test(token) ? `0x${Number(token).toString(16)}` : token,
  );

/** No comment of the first author, and new ones; every token on a line of its own. */
export const reformatted: Disguise = text => {
  const lines: string[] = [];
  eachToken(text, token => {
    lines.push(token);
    if (token === ";") lines.push("/* this took me long */");
    return token;
  });
  return lines.join("\n");
};

/** The members of each class, and the functions of the file, in the opposite order. */
export const reordered: Disguise = text => {
  const file = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest, true);
  const functions = file.statements.filter(ts.isFunctionDeclaration);
  const others = file.statements.filter(statement => !ts.isFunctionDeclaration(statement));
  const reversed = (statement: ts.Statement): string => {
    if (!ts.isClassDeclaration(statement)) return statement.getFullText();
    const { members } = statement;
    const [first, last] = [members[0]!.getFullStart(), members.at(-1)!.getEnd()];
    const body = [...members].reverse().map(member => member.getFullText());
    return `${text.slice(statement.getFullStart(), first)}${body.join("")}${text.slice(last, statement.getEnd())}`;
  };
  return [...others.map(reversed), ...functions.reverse().map(one => one.getFullText())].join("");
};

/** Only these exercises are somebody else's; the rest is `own`. */
export function copied(
  from: Submission,
  own: Submission,
  id: string,
  regions: readonly string[],
): Submission {
  const texts = [...own.files].map(([file, text]) => {
    const lines = text.split("\n");
    const theirs = from.files.get(file)!.split("\n");
    const holes = findRegions(file, text);
    const sources = findRegions(file, theirs.join("\n"));
    for (const [at, hole] of [...holes.entries()].reverse()) {
      if (!regions.includes(hole.name)) continue;
      const { start, end } = sources[at]!;
      lines.splice(hole.start + 1, hole.end - hole.start - 1, ...theirs.slice(start + 1, end));
    }
    return [file, lines.join("\n")] as const;
  });
  return submissionOf(id, new Map(texts));
}

/** The text with every token replaced by what `change` makes of it. */
function eachToken(text: string, change: (token: string, kind: ts.SyntaxKind) => string): string {
  const file = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest, true);
  let changed = "";
  let at = 0;
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(file);
    if (children.length > 0 || node.getWidth(file) === 0) {
      for (const child of children) if (!ts.isJSDoc(child)) visit(child);
      return;
    }
    changed += text.slice(at, node.getStart(file)) + change(node.getText(file), node.kind);
    at = node.getEnd();
  };
  visit(file);
  return changed + text.slice(at);
}
