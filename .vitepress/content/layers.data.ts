/** What each chapter adds to the machine; VitePress loads it when the site is built. */
import { defineLoader } from "vitepress";
import { type LayerFacts, layerFacts } from "./layers.ts";

declare const data: LayerFacts[];

export { data };

export default defineLoader({
  watch: ["../../solutions/*/*.ts", "../../chapters/*/machine.ts"],
  load: layerFacts,
});
