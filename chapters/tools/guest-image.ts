/** Reads a guest's image beside the module that names it: from disk in Node, over HTTP in a page. */
export async function guestImage(url: URL): Promise<Uint8Array> {
  if (url.protocol === "file:") {
    // No import: a bundler of pages would follow it.
    return new Uint8Array(process.getBuiltinModule("node:fs").readFileSync(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
