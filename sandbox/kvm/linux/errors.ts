/** What a failed call to KVM means and what to do about it. */
import { readFileSync, statSync } from "node:fs";
import { getSystemErrorMap } from "node:util";
import { HypervisorError } from "../api.ts";

/** The `HypervisorError` for `call`, e.g. "KVM_CREATE_VM", that failed with `errno`. */
export function callFailed(call: string, errno: number): HypervisorError {
  const [code, meaning] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown error"];
  const known = KNOWN.find(entry => entry.code === code && (!entry.calls || entry.calls.includes(call)));
  const remedy = typeof known?.remedy === "function" ? known.remedy() : known?.remedy;
  return new HypervisorError(call, `${known?.problem ?? meaning} (${code})`, { code, remedy });
}

interface Known {
  readonly code: string;
  /** Only these calls; without it, any. */
  readonly calls?: readonly string[];
  readonly problem: string;
  readonly remedy?: string | (() => string);
}

const OPEN = ["open /dev/kvm"];

/** The first that fits counts. */
const KNOWN: readonly Known[] = [
  {
    code: "ENOENT",
    calls: OPEN,
    problem: "there is no such device",
    remedy:
      "Load the module (`sudo modprobe kvm_intel` or `kvm_amd`); if that fails, switch on virtualization " +
      "(VT-x, AMD-V or SVM) in the firmware set-up, or nested virtualization in the VM's host; " +
      "a container needs `--device /dev/kvm`",
  },
  { code: "EACCES", calls: OPEN, problem: "permission denied", remedy: accessRemedy },
  {
    code: "EPERM",
    calls: OPEN,
    problem: "the container or sandbox forbids it",
    remedy: "Start the container with `--device /dev/kvm`",
  },
  ...["ENODEV", "ENXIO"].map(code => ({
    code,
    calls: OPEN,
    problem: "the device file exists, but no KVM module stands behind it",
    remedy: "Load the module: `sudo modprobe kvm_intel` or `kvm_amd`",
  })),
  {
    code: "EBUSY",
    calls: ["open /dev/kvm", "KVM_CREATE_VM"],
    problem: "another hypervisor holds the processor's virtualization",
    remedy: "Stop VirtualBox, VMware or whatever else runs virtual machines here",
  },
  {
    code: "EMFILE",
    problem: "this process has too many open files",
    remedy: "Close VMs that are no longer used, or raise the limit (`ulimit -n`)",
  },
  { code: "ENFILE", problem: "the system has too many open files", remedy: "Close other programs" },
  { code: "ENOMEM", problem: "the host is out of memory", remedy: "Give the guest less RAM, or close VMs" },
  {
    code: "ENOTTY",
    problem: "this kernel's KVM does not know the call",
    remedy: "Use a newer Linux kernel, or the soft engine",
  },
  { code: "EBADF", problem: "it was closed already" },
  {
    code: "EEXIST",
    calls: ["KVM_CREATE_VCPU"],
    problem: "there is a vCPU with this id already",
  },
  {
    code: "EEXIST",
    calls: ["KVM_CREATE_IRQCHIP", "KVM_CREATE_PIT2"],
    problem: "this VM has one already",
  },
  {
    code: "EINVAL",
    calls: ["KVM_CREATE_IRQCHIP"],
    problem: "KVM refuses",
    remedy: "Create the irqchip before the first vCPU",
  },
  {
    code: "ENOENT",
    calls: ["KVM_CREATE_PIT2"],
    problem: "the in-kernel PIT needs the in-kernel irqchip",
    remedy: "Call createIrqchip first",
  },
  {
    code: "ENXIO",
    calls: ["KVM_IRQ_LINE"],
    problem: "this VM has no in-kernel irqchip",
    remedy: "Call createIrqchip first, or inject with vcpu.interrupt",
  },
  {
    code: "ENXIO",
    calls: ["KVM_INTERRUPT"],
    problem: "the in-kernel irqchip delivers this VM's interrupts",
    remedy: "Drive a line with vm.setIrqLine instead",
  },
  { code: "EEXIST", calls: ["KVM_INTERRUPT"], problem: "an interrupt is waiting for delivery already" },
  {
    code: "EFAULT",
    calls: ["KVM_RUN"],
    problem: "the host memory behind a slot cannot be used",
    remedy: "Do not grow a WebAssembly.Memory that is guest RAM",
  },
  { code: "EINVAL", problem: "KVM refuses these values" },
];

/** Names the group that may open the device, as far as the system tells. */
function accessRemedy(): string {
  let group = "kvm";
  let open = true;
  try {
    const { gid, mode } = statSync("/dev/kvm");
    open = (mode & 0o060) === 0o060;
    const line = readFileSync("/etc/group", "utf8")
      .split("\n")
      .find(entry => entry.split(":")[2] === String(gid));
    group = line?.split(":")[0] ?? group;
  } catch {
    // The usual group's name is the best there is to say.
  }
  if (!open || group === "root") {
    return "Let the group kvm use the device: `sudo chown root:kvm /dev/kvm && sudo chmod 660 /dev/kvm`, then `sudo usermod -aG kvm $USER` and log in again";
  }
  return `The device belongs to the group ${group}: \`sudo usermod -aG ${group} $USER\`, then log in again`;
}
