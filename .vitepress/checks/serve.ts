/** Serves the built site under its base, compressed, as any static host would. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { BASE, SITE } from "./built-site.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".png": "image/png",
};

export interface StaticServer {
  /** With the base and its slash. */
  readonly url: string;
  /** Called with the path of each request, without the base. */
  onRequest: (path: string) => void;
  close(): Promise<void>;
}

export async function serveSite(site = SITE): Promise<StaticServer> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname);
    let file = path.startsWith(BASE) ? join(site, path.slice(BASE.length)) : "";
    if (file && existsSync(file) && statSync(file).isDirectory()) file = join(file, "index.html");
    served.onRequest(path.slice(BASE.length));
    if (!file || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    const isPacked =
      /text|json|wasm|svg/.test(type) && /\bgzip\b/.test(String(request.headers["accept-encoding"]));
    response.writeHead(200, { "content-type": type, ...(isPacked && { "content-encoding": "gzip" }) });
    response.end(isPacked ? packed(file) : readFileSync(file));
  });
  const cache = new Map<string, { readonly modified: number; readonly bytes: Buffer }>();
  const packed = (file: string): Buffer => {
    const modified = statSync(file).mtimeMs;
    const known = cache.get(file);
    if (known?.modified === modified) return known.bytes;
    const bytes = gzipSync(readFileSync(file));
    cache.set(file, { modified, bytes });
    return bytes;
  };
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const served: StaticServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${BASE}`,
    onRequest: () => {},
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return served;
}
