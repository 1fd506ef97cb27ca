/**
 * Names that show their types, in the blocks that ask for it: `<<< @/../sandbox/kvm/api.ts#vcpu{ts twoslash}`.
 *
 * The fence rule of source-blocks.ts tells this transformer which part of which file the block shows. What a name
 * shows stands in its attributes; the page's one popup is theme/type-popup.ts.
 */
import type { ShikiTransformer } from "shiki";
import { typedPart } from "./hover-types.ts";

const ASKS = /(^|\s)twoslash(?=\s|$)/;
const ASKED = /(?:^|\s)twoslash=(\S+)/;

/** Whether a fence's info string asks for types. */
export function asksForTypes(info: string): boolean {
  return ASKS.test(info);
}

/** The info string with the part of the file that the types are to be found in; `path` is relative to the project. */
export function askForTypesOf(info: string, path: string, region: string | undefined): string {
  return info.replace(ASKS, (_, before: string) => `${before}twoslash=${path}${region ? `#${region}` : ""}`);
}

export function typedNames(): ShikiTransformer {
  return {
    name: "vmexit:typed-names",
    preprocess(code, options) {
      const asked = askedFor(options.meta);
      if (asked === undefined) return;
      const [path, region] = asked.split("#");
      const { text, types } = typedPart(path!, region);
      if (text.trimEnd() !== code) throw new Error(`${asked}: the block shows another text than the file's`);
      options.decorations = types.map(({ line, column, length, kind, signature, says }, at) => ({
        start: { line, character: column },
        end: { line, character: column + length },
        alwaysWrap: true,
        properties: {
          class: "typed",
          // One stop for Tab; the arrow keys go from name to name.
          tabindex: at === 0 ? "0" : "-1",
          "data-roving": "",
          "data-type": signature,
          ...(kind && { "data-kind": kind }),
          ...(says && { "data-says": says }),
        },
      }));
    },
    pre(node) {
      if (askedFor(this.options.meta) !== undefined) this.addClassToHast(node, "has-types");
    },
  };
}

function askedFor(meta: { readonly __raw?: string } | undefined): string | undefined {
  return ASKED.exec(meta?.__raw ?? "")?.[1];
}
