/** The guests that a visitor can boot without looking for files. */
import { withBase } from "vitepress";
import guestImage from "../../sandbox/guest/image.elf?url&no-inline";
import type { LinuxImage, LinuxManifest } from "./linux-manifest.ts";
import type { GuestFiles } from "./protocol.ts";

const MIB = 2 ** 20;

/** A file of the site could not be fetched. */
export class FetchError extends Error {
  override readonly name = "FetchError";
}

export async function embeddedGuest(options: Partial<GuestFiles> = {}): Promise<GuestFiles> {
  const image = await fetchBytes(guestImage);
  return {
    name: "the embedded guest",
    image,
    commandLine: "",
    memorySize: 32 * MIB,
    transport: "mmio",
    ...options,
  };
}

export async function linuxImages(): Promise<readonly LinuxImage[]> {
  const response = await fetch(withBase("/linux/images.json"));
  return response.ok ? ((await response.json()) as LinuxManifest).images : [];
}

export async function linuxGuest(
  { name, kernel, initrd }: LinuxImage,
  options: Pick<GuestFiles, "commandLine" | "memorySize">,
): Promise<GuestFiles> {
  const [image, ramDisk] = await Promise.all(
    [kernel, initrd].map(file => fetchBytes(withBase(`/linux/${file}`))),
  );
  return { name, image: image!, initrd: ramDisk, transport: "pci", ...options };
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok)
    throw new FetchError(`${url} cannot be fetched: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
