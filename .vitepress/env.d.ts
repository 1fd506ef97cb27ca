/** What Vite turns into modules besides TypeScript. */
declare module "*.vue" {
  import type { DefineComponent } from "vue";

  const component: DefineComponent;
  export default component;
}

declare module "*.css";

declare module "*?url&no-inline" {
  const url: string;
  export default url;
}

/** What solve/plugin.ts makes. */
declare module "virtual:vmexit/layers" {
  export const CHAPTERS: Readonly<Record<string, () => Promise<import("./solve/layer-facts.ts").LayerFacts>>>;
}

declare module "virtual:vmexit/references" {
  export const CHAPTERS: Readonly<Record<string, () => Promise<Readonly<Record<string, string>>>>>;
}

type LoadModules = () => Promise<import("./solve/module-texts.ts").ModuleTexts>;

declare module "virtual:vmexit/bench" {
  /** By chapter; without the layers. */
  export const SUBJECTS: Readonly<Record<string, LoadModules>>;
  export const SUITES: Readonly<Record<string, () => Promise<void>>>;
}

declare module "virtual:vmexit/modules" {
  export const MODULES: Readonly<Record<"layers" | "machine", LoadModules>>;
}
