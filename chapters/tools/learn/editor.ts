/** The learner's editor: which one, and how it is told the line. */
import { accessSync, constants } from "node:fs";
import { basename, delimiter, join } from "node:path";

export interface EditorCall {
  readonly program: string;
  readonly args: readonly string[];
}

/** Editors of the kind `vi +12 file`. */
const PLUS_LINE = ["vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "joe", "kak", "ne"];
/** Editors of the kind `code --goto file:12`. */
const GOTO = ["code", "code-insiders", "codium", "cursor"];
/** Editors of the kind `hx file:12`. */
const COLON = ["hx", "helix", "subl", "zed"];

/** $VISUAL, $EDITOR, or `code` where it is on the path; undefined where there is none. */
export function editorCall(
  environment: Readonly<Record<string, string | undefined>>,
  file: string,
  line: number,
): EditorCall | undefined {
  const wanted =
    environment["VISUAL"] || environment["EDITOR"] || (isOnPath("code", environment) ? "code" : "");
  const [program, ...words] = wanted.trim().split(/\s+/);
  if (!program) return undefined;
  const name = basename(program);
  if (GOTO.includes(name)) return { program, args: [...words, "--goto", `${file}:${line}`] };
  if (PLUS_LINE.includes(name)) return { program, args: [...words, `+${line}`, file] };
  return { program, args: [...words, COLON.includes(name) ? `${file}:${line}` : file] };
}

function isOnPath(program: string, environment: Readonly<Record<string, string | undefined>>): boolean {
  return (environment["PATH"] ?? "").split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
