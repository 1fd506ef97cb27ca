/** What `npm run sandbox -- --help` prints. */
export const HELP = `npm run sandbox -- COMMAND [OPTIONS]

  (nothing)         boot the embedded guest: a kernel of 26 kB with a prompt and a
                    web page, no download
  linux             boot Debian's kernel to a shell (fetches 53 MB the first time)
  run IMAGE         boot an image: a Linux bzImage, a multiboot kernel, an ELF file with
                    a PVH note, or a flat image, which is loaded at --address and entered
                    there in real mode
  --kernel FILE     the same as: run FILE

Options
  --initrd FILE     the initial RAM disk, for a Linux kernel
  --append TEXT     more words for the kernel's command line; the embedded guest knows
                    nopaging, nonet and ip=ADDRESS/BITS,GATEWAY
  --memory MIB      RAM in MiB, 1 to 3072 (default 128)
  --address ADDRESS where a flat image goes (default 0x1000)
  --engine ENGINE   soft or kvm (default: kvm where /dev/kvm runs the guest, else soft)
  --flavour NAME    which of Debian's kernels "linux" boots: 686 (default) or 686-pae

Disks and network
  --disk FILE[,snapshot|,readonly]
                    a raw image as a virtio disk; may stand several times. With snapshot
                    the guest's writes stay in memory and the file stays as it is
  --net KIND        user (default): a network in this process, no privileges needed: the
                      guest has 10.0.2.15, the host is 10.0.2.2; a guest can
                      connect to others too, but ping none of them
                    tap or tap:NAME: a TAP device of the host's
                    none: no network card
  --forward [tcp:|udp:]HOST_PORT:GUEST_PORT
                    a port of this host, on 127.0.0.1, leads to the guest's; may stand
                    several times
  --capture FILE    all frames into a pcapng file, for Wireshark and tshark
  --transport KIND  how virtio-net is attached: pci (default) or mmio, as the embedded
                    guest wants it

Saving and time
  --restore FILE    go on with a machine that was saved with Ctrl-] w
  --save FILE       where Ctrl-] w saves to (default vmexit.save)
  --virtual-time    count instructions instead of following the clock: the same run each time
  --help            this text

npm keeps options for itself unless they stand behind --, as in
  npm run sandbox -- linux --memory 256

The terminal is the guest's serial port. Ctrl-] is for the machine:
  Ctrl-] q  quit          Ctrl-] s  status line
  Ctrl-] w  save          Ctrl-] h  these keys
  Ctrl-] ]  send Ctrl-]

The exit code is 0 after a power-off or halt, the guest's own code from the debug exit port,
1 when the guest crashed, and 2 for a wrong option or image.
`;
