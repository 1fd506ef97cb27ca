/** Asks the browser to keep the book for reading without a network. */

/** Milliseconds after the page is loaded: the page that is being read comes first. */
const LATER = 2000;

export function keepForOffline(base: string): void {
  if (import.meta.env.SSR || !import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const { connection } = navigator as { connection?: { readonly saveData: boolean } };
  if (connection?.saveData) return;
  const register = () =>
    setTimeout(() => {
      // Without a secure context, or where storage is forbidden, the book is there with a network only.
      navigator.serviceWorker.register(`${base}sw.js`, { updateViaCache: "none" }).catch(() => {});
    }, LATER);
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
