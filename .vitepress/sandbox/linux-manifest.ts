/** What `npm run site:linux` writes beside the site as `linux/images.json`; the site itself is built with an empty list. */
export interface LinuxManifest {
  readonly images: readonly LinuxImage[];
}

export interface LinuxImage {
  readonly name: string;
  /** Files in the folder of the manifest. */
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
  /** Of both, in bytes. */
  readonly size: number;
  /** Which packages of which versions these are, and where their sources are. */
  readonly source: string;
}

/** The serial port is the console; the self-tests of Debian's ciphers would take longer than all the rest. */
export const LINUX_COMMAND_LINE = "console=ttyS0 cryptomgr.notests";
