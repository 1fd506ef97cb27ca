/**
 * iced-x86 for browsers: the package on npm is made for Node, and reads its WebAssembly from a file as it is
 * loaded. This plugin turns its one file into a module that fetches it, and that leaves out what nobody uses.
 */
import type { Plugin } from "vite";

const FILE = /node_modules\/iced-x86\/iced_x86\.js$/;

/** What `chapters/tools/disassembly.ts` takes. */
const USED = ["Decoder", "DecoderOptions", "Formatter", "FormatterSyntax"];

export function icedForBrowsers(): Plugin {
  return {
    name: "vmexit:iced-for-browsers",
    enforce: "pre",
    transform(code, id, options) {
      if (options?.ssr || !FILE.test(id.split("?")[0]!)) return null;
      return { code: moduleForBrowsers(code), map: null };
    },
  };
}

/** Throws where the package is not as this knows it, so that a new version of it is looked at. */
export function moduleForBrowsers(code: string): string {
  const replaced = [
    ["imports['__wbindgen_placeholder__'] = module.exports;", "const glue = {};"],
    ["let imports = {};", ""],
    ["const { TextDecoder, TextEncoder } = require(`util`);", ""],
    ["const path = require('path').join(__dirname, 'iced_x86_bg.wasm');", ""],
    [
      "const bytes = require('fs').readFileSync(path);",
      "const bytes = await (await fetch(icedWasm)).arrayBuffer();",
    ],
    ["const wasmModule = new WebAssembly.Module(bytes);", ""],
    [
      "const wasmInstance = new WebAssembly.Instance(wasmModule, imports);",
      "const { instance: wasmInstance } = await WebAssembly.instantiate(bytes, { __wbindgen_placeholder__: glue });",
    ],
    ["module.exports.__wasm = wasm;", ""],
  ].reduce((text, [from, to]) => {
    if (!text.includes(from!)) throw new Error(`iced-x86 has changed: ${from} is not there`);
    return text.replace(from!, to!);
  }, code);
  const body = replaced
    .replace(/^module\.exports\.([A-Z]\w*) = \1;$/gm, "")
    .replace(/^module\.exports\.([A-Z]\w*) = Object\.freeze\(/gm, "const $1 = /*#__PURE__*/ Object.freeze(")
    .replace(/^module\.exports\.([a-z]\w*) =/gm, "const $1 = /*#__PURE__*/")
    .replace(/^module\.exports\.(__\w+) =/gm, "glue.$1 =");
  return [
    'import icedWasm from "./iced_x86_bg.wasm?url";',
    body,
    `export default { ${USED.join(", ")} };`,
  ].join("\n");
}
