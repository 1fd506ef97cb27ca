/// <reference types="vite/client" />
/** Where the guests of the chapters are, by their paths from here. */
export const IMAGES = import.meta.glob<string>("../../chapters/*/guest/*.bin", {
  query: "?url&no-inline",
  import: "default",
  eager: true,
});
