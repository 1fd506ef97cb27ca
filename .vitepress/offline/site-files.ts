/** Which file of the site an address means, as static hosts understand it. `site` ends in a slash. */

export function isOurs(site: string, url: string): boolean {
  return url.startsWith(site);
}

/** The file that `url` asks for, if it is among `files`: "" is index.html, and "page" may stand for page.html. */
export function fileOf(
  site: string,
  url: string,
  files: Readonly<Record<string, string>>,
): string | undefined {
  if (!isOurs(site, url)) return undefined;
  const path = decodeURI(new URL(url).pathname).slice(decodeURI(new URL(site).pathname).length);
  const names = path === "" || path.endsWith("/") ? [`${path}index.html`] : [path, `${path}.html`];
  return names.find(name => Object.hasOwn(files, name));
}

/** The name of a file in the cache: with its hash, so that the next version finds what did not change. */
export function cacheKey(site: string, file: string, hash: string): string {
  return `${site}${encodeURI(file)}?content=${hash}`;
}
