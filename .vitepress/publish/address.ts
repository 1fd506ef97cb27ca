/**
 * Where the site will stand: VMEXIT_BASE is the path, VMEXIT_SITE_URL the whole address. What must name a page
 * by its whole address (sitemap, canonical links, social cards) is left out where nobody tells.
 */

export interface SiteAddress {
  /** The path under which the site is served, with a slash at both ends. */
  readonly base: string;
  /** The whole address with the base, ending in a slash; undefined where nobody told. */
  readonly url: string | undefined;
}

/** Throws where the two variables do not fit each other. */
export function siteAddress(environment: Readonly<Record<string, string | undefined>>): SiteAddress {
  const { VMEXIT_BASE: givenBase, VMEXIT_SITE_URL: given } = environment;
  if (givenBase !== undefined && !/^\/(.*\/)?$/.test(givenBase)) {
    throw new Error(
      `VMEXIT_BASE is “${givenBase}”: it must begin and end with a slash, as in /books/vmexit/`,
    );
  }
  if (!given) return { base: givenBase ?? "/", url: undefined };
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new Error(
      `VMEXIT_SITE_URL is “${given}”: it must be an address such as https://example.org/vmexit/`,
    );
  }
  const { origin, pathname } = new URL(given);
  const path = pathname.endsWith("/") ? pathname : `${pathname}/`;
  const base = givenBase ?? path;
  if (path !== "/" && path !== base) {
    throw new Error(`VMEXIT_SITE_URL ends in ${path} and VMEXIT_BASE is ${base}: they must be the same path`);
  }
  return { base, url: `${origin}${base}` };
}

/** A page's path inside the site: "chapters/05-pit.html", and "" for the home page. */
export function pathOf(markdown: string): string {
  return markdown.replace(/\.md$/, ".html").replace(/(^|\/)index\.html$/, "$1");
}

/** The path of a page's social card inside the site. */
export function cardOf(markdown: string): string {
  return `social/${markdown.replace(/\.md$/, ".png")}`;
}
