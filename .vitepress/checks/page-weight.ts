/** What a page costs a reader who comes for the first time and touches nothing. */
import type { Browser } from "playwright-core";

export interface PageWeight {
  /** Bytes of script as they came over the wire, in the page and in its workers. */
  readonly script: number;
  /** Bytes of everything. */
  readonly all: number;
  /** Largest contentful paint, in milliseconds after the navigation began. */
  readonly largestPaint: number;
  /** Cumulative layout shift, while the page is also read to its end. */
  readonly layoutShift: number;
}

/** Milliseconds without a request after which a page is taken to be loaded. */
const QUIET = 500;
const MOST = 15_000;

/** `width` is the window's, in pixels. */
export async function visit(chrome: Browser, url: string, width = 1280): Promise<PageWeight> {
  // What the service worker fetches for later is not the page's, and comes after it.
  const context = await chrome.newContext({
    serviceWorkers: "block",
    viewport: { width, height: 900 },
  });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  let [script, all, last] = [0, 0, Date.now()];
  const types = new Map<string, string>();
  devtools.on("Network.requestWillBeSent", ({ requestId, type }) => {
    types.set(requestId, type ?? "Other");
    last = Date.now();
  });
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    all += encodedDataLength;
    // A modulepreload is of type "Other" in some versions: what ends in .js is told by its answer.
    if (types.get(requestId) === "Script") script += encodedDataLength;
    last = Date.now();
  });
  devtools.on("Network.responseReceived", ({ requestId, response }) => {
    if (response.mimeType.endsWith("javascript")) types.set(requestId, "Script");
  });
  await page.addInitScript(() => {
    const seen = { largestPaint: 0, layoutShift: 0 };
    Object.assign(globalThis, { seen });
    new PerformanceObserver(list => {
      for (const entry of list.getEntries()) seen.largestPaint = entry.startTime;
    }).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver(list => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[]) {
        seen.layoutShift += entry.value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(url, { waitUntil: "load" });
  const start = Date.now();
  while (Date.now() - last < QUIET && Date.now() - start < MOST) await page.waitForTimeout(50);
  const weight = { script, all };
  const { largestPaint } = await seen();
  await page.evaluate(async () => {
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
      scrollTo(0, y);
      await new Promise(resolve => requestAnimationFrame(resolve));
    }
  });
  const { layoutShift } = await seen();
  await context.close();
  return { ...weight, largestPaint, layoutShift };

  function seen(): Promise<{ largestPaint: number; layoutShift: number }> {
    return page.evaluate(
      () => (globalThis as unknown as { seen: { largestPaint: number; layoutShift: number } }).seen,
    );
  }
}
