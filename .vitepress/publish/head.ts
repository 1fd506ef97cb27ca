/** What the head of a page tells search engines, and those who show a link to it. */
import type { HeadConfig } from "vitepress";
import { cardOf, pathOf, type SiteAddress } from "./address.ts";
import { CARD } from "./social-card.ts";

export interface PageFacts {
  /** The markdown file, relative to docs/. */
  readonly file: string;
  readonly title: string;
  readonly description: string;
}

export function headOf({ file, title, description }: PageFacts, { url }: SiteAddress): HeadConfig[] {
  const property = (name: string, content: string): HeadConfig => ["meta", { property: name, content }];
  const named = (name: string, content: string): HeadConfig => ["meta", { name, content }];
  const head = [
    property("og:type", file.startsWith("chapters/") ? "article" : "website"),
    property("og:site_name", "vmexit"),
    property("og:title", title),
    property("og:description", description),
    named("twitter:title", title),
    named("twitter:description", description),
  ];
  const isPage = file !== "404.md";
  if (url === undefined || !isPage) return [...head, named("twitter:card", "summary")];
  const card = url + cardOf(file);
  return [
    ...head,
    ["link", { rel: "canonical", href: url + pathOf(file) }],
    property("og:url", url + pathOf(file)),
    property("og:image", card),
    property("og:image:width", String(CARD.width)),
    property("og:image:height", String(CARD.height)),
    property("og:image:alt", `${title}. ${description}`),
    named("twitter:card", "summary_large_image"),
    named("twitter:image", card),
  ];
}

/** Fetches the italics with a page that has some: coming later, they would break its lines anew. */
export function italicsOf(html: string, assets: readonly string[]): HeadConfig[] {
  const href = html.includes("<em>") && assets.find(path => /inter-italic-latin\.[^/]*\.woff2$/.test(path));
  return href ? [["link", { rel: "preload", href, as: "font", type: "font/woff2", crossorigin: "" }]] : [];
}
