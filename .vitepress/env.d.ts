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
