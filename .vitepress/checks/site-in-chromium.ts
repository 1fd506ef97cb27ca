/** The built site, served and opened in Chromium: registered once by a test file, for all of its tests. */
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { requires } from "../../chapters/tools/requires.ts";
import { BUILD_TIMEOUT, buildSite } from "./built-site.ts";
import { type StaticServer, serveSite } from "./serve.ts";

export const browser = requires("chromium");

export interface SiteInChromium {
  readonly server: StaticServer;
  readonly chrome: Browser;
  /** One visitor with a wide window, for the tests that leave nothing behind. */
  readonly context: BrowserContext;
}

/** Builds, serves and opens the site before the tests of the surrounding `describe`; its members are there from then on. */
export function siteInChromium(): SiteInChromium {
  let opened: SiteInChromium | undefined;
  const here = (): SiteInChromium => {
    if (!opened) throw new Error("the site is open only while tests run");
    return opened;
  };
  beforeAll(async () => {
    if (!browser.available) return;
    await buildSite();
    const server = await serveSite();
    const chrome = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    const context = await chrome.newContext({ viewport: { width: 1280, height: 900 } });
    opened = { server, chrome, context };
  }, BUILD_TIMEOUT);
  afterAll(async () => {
    await opened?.chrome.close();
    await opened?.server.close();
  });
  return {
    get server() {
      return here().server;
    },
    get chrome() {
      return here().chrome;
    },
    get context() {
      return here().context;
    },
  };
}
