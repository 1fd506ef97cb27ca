/** The editor of an exercise: CodeMirror with TypeScript, the layer's names, and the lines of the task marked. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript, typescriptLanguage } from "@codemirror/lang-javascript";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension, RangeSetBuilder } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Task } from "../../chapters/tools/chapter-manifest.ts";
import { about, completionsFrom } from "./completions.ts";
import type { Declaration } from "./declarations.ts";
import { regionsOf } from "./task-region.ts";

/** The colours of the book's code blocks; they are custom properties of solve.css. */
const COLOURS = HighlightStyle.define([
  { tag: tags.comment, color: "var(--code-muted)", fontStyle: "italic" },
  { tag: [tags.keyword, tags.self, tags.modifier], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--code-call)" },
  { tag: [tags.typeName, tags.className], color: "var(--code-type)" },
  { tag: [tags.operator, tags.punctuation], color: "var(--code-muted)" },
]);

export const LOOK: Extension = [javascript({ typescript: true }), syntaxHighlighting(COLOURS)];

export interface EditorFile {
  readonly file: string;
  readonly text: string;
  /** A file that the learner only reads. */
  readonly isGiven: boolean;
  readonly task: Task;
  readonly declarations: readonly Declaration[];
  changed(text: string): void;
  /** Control or Command with Enter. */
  run(): void;
}

export function editorState(options: EditorFile): EditorState {
  const { file, text, isGiven, task, declarations, changed, run } = options;
  return EditorState.create({
    doc: text,
    extensions: [
      lineNumbers(),
      highlightActiveLineGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      autocompletion({ icons: false }),
      highlightActiveLine(),
      lintGutter(),
      EditorView.lineWrapping,
      LOOK,
      typescriptLanguage.data.of({ autocomplete: completionsFrom(declarations) }),
      hoverTooltip((view, at) => {
        const word = view.state.wordAt(at);
        const name = word ? view.state.sliceDoc(word.from, word.to) : "";
        const found = declarations.find(one => one.name.replace("#", "") === name);
        if (!word || !found) return null;
        const { signature, says, from } = found;
        return {
          pos: word.from,
          end: word.to,
          above: true,
          create: () => ({ dom: about(signature, says, from) }),
        };
      }),
      keymap.of([
        { key: "Mod-Enter", run: handled(run) },
        ...closeBracketsKeymap,
        ...defaultKeymap,
        ...historyKeymap,
        ...completionKeymap,
        indentWithTab,
      ]),
      EditorState.readOnly.of(isGiven),
      EditorView.contentAttributes.of({
        "aria-label": `${file}${isGiven ? ", to read" : `, exercise “${task.title}”`}`,
        "aria-describedby": "solve-keys",
        autocapitalize: "off",
        autocorrect: "off",
        spellcheck: "false",
        tabindex: "0",
      }),
      EditorView.updateListener.of(({ docChanged, state }) => docChanged && changed(state.doc.toString())),
      isGiven ? [] : taskLines(task),
    ],
  });
}

/** A command of the editor that goes no further. */
function handled(act: () => void): () => true {
  return () => {
    act();
    return true;
  };
}

const TASK_LINE = Decoration.line({ class: "task-line" });

/** Marks the lines that the task is about. */
function taskLines(task: Task): Extension {
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = marked(view.state, task);
      }
      update({ docChanged, state }: ViewUpdate) {
        if (docChanged) this.decorations = marked(state, task);
      }
    },
    { decorations: plugin => plugin.decorations },
  );
}

function marked(state: EditorState, task: Task): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { start, end } of regionsOf(task, state.doc.toString())) {
    for (let line = start + 1; line <= end + 1; line++) {
      const { from } = state.doc.line(line);
      builder.add(from, from, TASK_LINE);
    }
  }
  return builder.finish();
}

/** Scrolls to the first line that the task is to write, and puts the cursor there. */
export function goToTask(view: EditorView, task: Task): void {
  const [region] = regionsOf(task, view.state.doc.toString());
  if (region) goToLine(view, region.start + 2);
}

/** Puts the cursor into a line, counted from 1, and shows it near the middle. */
export function goToLine(view: EditorView, line: number): void {
  const { doc } = view.state;
  const { from, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const anchor = from + text.length - text.trimStart().length;
  view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
}

/** Replaces the whole text, as one step that can be undone. */
export function replaceText(view: EditorView, text: string): void {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

/** Marks the line in which a test's failure was thrown, or unmarks all. */
export function markLine(view: EditorView, line: number | undefined, message: string): void {
  const { doc } = view.state;
  const marks: Diagnostic[] = [];
  if (line !== undefined && line <= doc.lines) {
    const { from, to, text } = doc.line(line);
    marks.push({ from: from + text.length - text.trimStart().length, to, severity: "error", message });
  }
  view.dispatch(setDiagnostics(view.state, marks));
}
