/**
 * Links modules that exist only as text: every import gets the URL of what it names, from the leaves up. So it
 * runs where nothing maps the names of modules: in a worker, under any base path, without a server.
 */
import { init, parse } from "es-module-lexer";

/** Modules that cannot be linked. The message is for the learner. */
export class LinkError extends Error {
  override readonly name = "LinkError";
}

export interface Linking {
  /** JavaScript by module name. */
  readonly modules: ReadonlyMap<string, string>;
  /** The name of the module that `specifier` means in module `from`; undefined if there is none. */
  resolve(specifier: string, from: string): string | undefined;
  /** Where a module of this text can be imported from. */
  place(code: string, name: string): string;
}

/** Places the module `entry` and all that it imports; returns the entry's URL. */
export async function link(entry: string, { modules, resolve, place }: Linking): Promise<string> {
  await init;
  const placed = new Map<string, string>();
  const open: string[] = [];

  function visit(name: string): string {
    const known = placed.get(name);
    if (known !== undefined) return known;
    if (open.includes(name)) {
      const circle = [...open.slice(open.indexOf(name)), name].join(" → ");
      throw new LinkError(`${circle}: these files import each other in a circle; here one must give way`);
    }
    open.push(name);
    let code = modules.get(name)!;
    // An import() of something else than a string literal is left as it is, as are import.meta and its like.
    const imports = parse(code, name)[0].filter(({ n }) => n !== undefined);
    for (const { n: specifier, s: start, e: end, d: dynamic } of imports.reverse()) {
      const target = resolve(specifier!, name);
      if (target === undefined || !modules.has(target)) {
        throw new LinkError(
          `${name} imports “${specifier}”, which is none of the files that a layer can import: ` +
            "those of this layer and of the layers below it",
        );
      }
      const url = visit(target);
      code = code.slice(0, start) + (dynamic < 0 ? url : JSON.stringify(url)) + code.slice(end);
    }
    open.pop();
    const url = place(code, name);
    placed.set(name, url);
    return url;
  }

  return visit(entry);
}
