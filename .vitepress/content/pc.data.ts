/** The whole emulator's ports, vectors and memory, for the reference page; VitePress loads it when the site is built. */
import { defineLoader } from "vitepress";
import { type PcFacts, pcFacts } from "./pc-facts.ts";

declare const data: PcFacts;

export { data };

export default defineLoader({
  watch: ["../../sandbox/{machine,devices}/*.ts", "../../solutions/{04,08}-*/*.ts"],
  load: pcFacts,
});
