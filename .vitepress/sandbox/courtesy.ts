/** When a machine may begin by itself: after the page is painted, and not where somebody asked for calm or for few bytes. */

interface Connection {
  readonly saveData?: boolean;
}

export function prefersToWait(): boolean {
  const { connection } = navigator as Navigator & { readonly connection?: Connection };
  return connection?.saveData === true || matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Calls `callback` once the page is painted and has nothing else to do; the function returned cancels that. */
export function whenIdle(callback: () => void): () => void {
  if (typeof requestIdleCallback === "function") {
    const handle = requestIdleCallback(callback, { timeout: 2000 });
    return () => cancelIdleCallback(handle);
  }
  const timer = setTimeout(callback, 300);
  return () => clearTimeout(timer);
}
