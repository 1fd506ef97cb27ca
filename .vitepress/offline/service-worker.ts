/**
 * The service worker: the whole book on the reader's device, for when there is no network.
 *
 * Pages come from the network while there is one, so that nobody reads an old book; everything that they
 * load has its content's hash in its name and comes from the cache. A new version fills a cache of its own
 * beside the old one, taking over what did not change, and takes its place when the last page of the old
 * version is closed: no page ever gets parts of two versions.
 */
import type { Precache } from "./precache.ts";
import { cacheKey, fileOf, isOurs } from "./site-files.ts";

declare const PRECACHE: Precache;

interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface WorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
}

const worker = globalThis as unknown as WorkerScope;
/** The site's address with its base. */
const SITE = worker.registration.scope;
/** Other sites may have caches at the same origin, so the name has the address in it. */
const PREFIX = `vmexit ${SITE} `;
const CACHE = PREFIX + PRECACHE.version;

const AT_A_TIME = 6;
/** A network that answers later than this many milliseconds is taken for none. */
const PATIENCE = 3000;

const keyOf = (file: string) => cacheKey(SITE, file, PRECACHE.files[file]!);

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  const older = (await caches.keys()).filter(name => name.startsWith(PREFIX) && name !== CACHE);
  const waiting = Object.keys(PRECACHE.files);
  const takeSome = async () => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      await cache.put(keyOf(file), (await kept(file, older)) ?? (await fetched(file)));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, takeSome));
}

/** The same content out of an older version's cache. */
async function kept(file: string, older: readonly string[]): Promise<Response | undefined> {
  for (const name of older) {
    const found = await (await caches.open(name)).match(keyOf(file));
    if (found) return found;
  }
  return undefined;
}

async function fetched(file: string): Promise<Response> {
  const response = await fetch(SITE + file, { cache: "no-cache" });
  if (!response.ok) throw new Error(`${file}: the server answers ${response.status}`);
  // A host may lead from page.html to page; browsers accept no such answer from a cache for a page.
  return response.redirected ? new Response(await response.blob(), { headers: response.headers }) : response;
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter(name => name.startsWith(PREFIX) && name !== CACHE).map(name => caches.delete(name)),
  );
  await worker.clients.claim();
}

async function fromCache(file: string): Promise<Response | undefined> {
  return (await caches.open(CACHE)).match(keyOf(file));
}

async function page(request: Request, file: string | undefined): Promise<Response> {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
  } catch (noNetwork) {
    const found = await fromCache(file ?? "404.html");
    if (found) return found;
    throw noNetwork;
  }
}

worker.addEventListener("install", event => event.waitUntil(install()));
worker.addEventListener("activate", event => event.waitUntil(activate()));
worker.addEventListener("fetch", event => {
  const { request } = event;
  if (request.method !== "GET" || !isOurs(SITE, request.url)) return;
  const file = fileOf(SITE, request.url, PRECACHE.files);
  if (request.mode === "navigate") event.respondWith(page(request, file));
  else if (file) event.respondWith(fromCache(file).then(found => found ?? fetch(request)));
});
