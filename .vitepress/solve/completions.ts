/** Completions in the editor, from what the layer and the layers below it declare. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { syntaxTree } from "@codemirror/language";
import type { Declaration } from "./declarations.ts";

const TYPES: Readonly<Record<Declaration["kind"], string>> = {
  class: "class",
  function: "function",
  constant: "constant",
  interface: "interface",
  type: "type",
  method: "method",
  property: "property",
};

/** A source of completions: members after a point, else what stands by itself. */
export function completionsFrom(declarations: readonly Declaration[]) {
  const names = declarations.filter(({ of }) => !of).map(one => completion(one));
  return (context: CompletionContext): CompletionResult | null => {
    const inside = syntaxTree(context.state).resolveInner(context.pos, -1).name;
    if (/Comment|^String$|TemplateString/.test(inside)) return null;
    const member = context.matchBefore(/[\w$]*\??\.#?[\w$]*$/);
    if (member) {
      const [, owner = ""] = /^([\w$]*)\??\./.exec(member.text)!;
      const from = member.from + member.text.lastIndexOf(".") + 1;
      return { from, options: members(owner, enclosingClass(context)), validFor: /^#?[\w$]*$/ };
    }
    const word = context.matchBefore(/[A-Za-z_$][\w$]*$/);
    if (!word && !context.explicit) return null;
    return { from: word?.from ?? context.pos, options: names, validFor: /^[\w$]*$/ };
  };

  /** Members of every type, as no checker knows the owner's; the likely ones first. */
  function members(owner: string, within: string | undefined): Completion[] {
    const likely = (of: string) =>
      of === owner ||
      (owner === "this" ? of === within : of.toLowerCase().includes(owner.toLowerCase() || " "));
    return declarations.flatMap(one => {
      if (!one.of || (one.name.startsWith("#") && !likely(one.of))) return [];
      return [{ ...completion(one), boost: likely(one.of) ? 50 : 0 }];
    });
  }
}

function completion({ name, kind, of, signature, says, from }: Declaration): Completion {
  return { label: name, type: TYPES[kind], detail: of ?? "", info: () => about(signature, says, from) };
}

/** What is told of a name, beside its completion and when the pointer rests on it. */
export function about(signature: string, says: string | undefined, from: string): HTMLElement {
  const box = document.createElement("div");
  box.className = "solve-about";
  const code = document.createElement("code");
  code.textContent = signature;
  const where = document.createElement("small");
  where.textContent = from;
  box.append(
    code,
    ...(says ? [Object.assign(document.createElement("p"), { textContent: says })] : []),
    where,
  );
  return box;
}

/** The class that the cursor stands in. */
function enclosingClass({ state, pos }: CompletionContext): string | undefined {
  for (let node = syntaxTree(state).resolveInner(pos, -1); ; ) {
    if (node.name === "ClassDeclaration") {
      const name = node.getChild("VariableDefinition");
      return name ? state.sliceDoc(name.from, name.to) : undefined;
    }
    if (!node.parent) return undefined;
    node = node.parent;
  }
}
