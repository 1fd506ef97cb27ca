/** The initial RAM disk of `npm run sandbox linux`: busybox, a few scripts, and the virtio drivers. */
import { type ArchiveEntry, writeCpio } from "../../boot/cpio.ts";

/** The drivers in the order in which they must be loaded: each one needs only those before it. */
export const MODULES = [
  "drivers/virtio/virtio.ko",
  "drivers/virtio/virtio_ring.ko",
  "drivers/virtio/virtio_pci_modern_dev.ko",
  "drivers/virtio/virtio_pci_legacy_dev.ko",
  "drivers/virtio/virtio_pci.ko",
  "net/core/failover.ko",
  "drivers/net/net_failover.ko",
  "drivers/net/virtio_net.ko",
  "drivers/block/virtio_blk.ko",
  "drivers/char/hw_random/virtio-rng.ko",
] as const;

/** busybox's init: what runs at the start, on the serial line, and at the end. */
const INITTAB = `::sysinit:/etc/start
ttyS0::respawn:-/bin/sh
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r
`;

/** The drivers are there for a machine with PCI: checking a module's signature costs a second. */
const START = `#!/bin/sh
/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
hostname vmexit
ip link set lo up
if grep -qs 0x1af4 /sys/bus/pci/devices/*/vendor; then
  for module in $(cat /lib/modules/order); do insmod /lib/modules/$module; done
  if [ -e /sys/class/net/eth0 ]; then
    ip link set eth0 up
    udhcpc -i eth0 -s /etc/udhcpc -n -q -t 5 -T 1
  fi
fi
cat /etc/motd
`;

/** What udhcpc calls with the lease in its environment. */
const UDHCPC = `#!/bin/sh
case "$1" in
deconfig) ip addr flush dev $interface ;;
bound | renew)
  ip addr add $ip/\${mask:-24} dev $interface
  [ -n "$router" ] && ip route replace default via \${router%% *}
  : > /etc/resolv.conf
  for server in $dns; do echo "nameserver $server" >> /etc/resolv.conf; done
  ;;
esac
`;

const MOTD = `
Linux in vmexit. Leave with: poweroff

`;

const PROFILE = `export PATH=/bin:/sbin:/usr/bin:/usr/sbin
export PS1='vmexit:\\w# '
`;

export interface InitramfsParts {
  readonly busybox: Uint8Array;
  /** The bytes of the drivers, by the paths of \`MODULES\`. */
  readonly modules: ReadonlyMap<string, Uint8Array>;
}

/** The archive, not yet compressed. */
export function buildInitramfs({ busybox, modules }: InitramfsParts): Uint8Array {
  const encoder = new TextEncoder();
  const text = (path: string, content: string, executable = false): ArchiveEntry => ({
    kind: "file",
    path,
    bytes: encoder.encode(content),
    executable,
  });
  const folders = ["bin", "sbin", "usr", "usr/bin", "usr/sbin", "dev", "etc", "lib", "lib/modules"];
  const mountPoints = ["proc", "sys", "tmp", "root", "mnt"];
  const names = MODULES.filter(path => modules.has(path));
  return writeCpio([
    ...[...folders, ...mountPoints].map((path): ArchiveEntry => ({ kind: "directory", path })),
    { kind: "device", path: "dev/console", major: 5, minor: 1 },
    { kind: "device", path: "dev/null", major: 1, minor: 3 },
    { kind: "file", path: "bin/busybox", bytes: busybox, executable: true },
    { kind: "link", path: "bin/sh", target: "/bin/busybox" },
    { kind: "link", path: "init", target: "/bin/busybox" },
    text("etc/inittab", INITTAB),
    text("etc/start", START, true),
    text("etc/udhcpc", UDHCPC, true),
    text("etc/motd", MOTD),
    text("etc/profile", PROFILE),
    text("etc/passwd", "root::0:0:root:/root:/bin/sh\n"),
    text("etc/group", "root:x:0:\n"),
    text("lib/modules/order", names.map(fileName).join("\n")),
    ...names.map(
      (path): ArchiveEntry => ({
        kind: "file",
        path: `lib/modules/${fileName(path)}`,
        bytes: modules.get(path)!,
      }),
    ),
  ]);
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
