/** The worker of a machine on a learner's layers: it links them, and becomes the machine. */
import { MODULES } from "virtual:vmexit/modules";
import icedWasm from "iced-x86/iced_x86_bg.wasm?url&no-inline";
import type { RequestMessage, WorkerMessage } from "../../sandbox/session/protocol.ts";
import { IMAGES } from "../machine/guest-images.ts";
import { linkLayers, type OwnLayers, placeModule } from "./learner-modules.ts";
import { MACHINE, type ModuleTexts } from "./module-texts.ts";
import { troubleOf } from "./trouble.ts";

Error.stackTraceLimit = 50;

/** The first message has the layers; what comes while they are linked waits. */
self.onmessage = ({ data }: MessageEvent<OwnLayers>) => {
  const early: MessageEvent<RequestMessage>[] = [];
  self.onmessage = (event: MessageEvent<RequestMessage>) => early.push(event);
  become(data).then(
    () => {
      for (const event of early) self.onmessage?.(event);
    },
    error => {
      const trouble = troubleOf(error);
      const refuse = ({ data: { id } }: MessageEvent<RequestMessage>) =>
        self.postMessage({ kind: "refusal", id, ...trouble } satisfies WorkerMessage);
      early.forEach(refuse);
      self.onmessage = refuse;
    },
  );
};

async function become(own: OwnLayers): Promise<void> {
  const [machine, layers] = await Promise.all([MODULES.machine(), MODULES.layers()]);
  const urls: string[] = [];
  const modules = { ...machine, ...layers, ...siteModules() };
  await import(/* @vite-ignore */ await linkLayers(MACHINE, modules, own, placeModule(urls)));
}

/** What only the site's bundler knows, for modules that have addresses of their own. */
function siteModules(): ModuleTexts {
  const whole = (url: string) => new URL(url, location.href).href;
  const images = Object.entries(IMAGES).map(([name, url]) => [name, whole(url)]);
  return {
    "site:images": `export const IMAGES = ${JSON.stringify(Object.fromEntries(images))};`,
    "site:iced": `export default ${JSON.stringify(whole(icedWasm))};`,
  };
}
