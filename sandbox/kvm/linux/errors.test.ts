import { describe, expect, it } from "vitest";
import { callFailed } from "./errors.ts";

const EACCES = 13;
const EBUSY = 16;
const EMFILE = 24;
const ENOENT = 2;
const ENOTTY = 25;

describe("an error of KVM", () => {
  it("says how to load the module where there is no device", () => {
    const error = callFailed("open /dev/kvm", ENOENT);
    expect(error).toMatchObject({ name: "HypervisorError", call: "open /dev/kvm", code: "ENOENT" });
    expect(error.message).toMatch(/^open \/dev\/kvm: there is no such device \(ENOENT\)\. Load the module/);
    expect(error.remedy).toMatch(/modprobe kvm_intel/);
  });

  it("says which group may open it where permission lacks", () => {
    expect(callFailed("open /dev/kvm", EACCES).remedy).toMatch(/usermod -aG kvm|usermod -aG \w+ /);
  });

  it("tells a busy processor, full tables and an unknown call apart", () => {
    expect(callFailed("KVM_CREATE_VM", EBUSY).remedy).toMatch(/VirtualBox/);
    expect(callFailed("KVM_CREATE_VCPU", EMFILE).remedy).toMatch(/ulimit -n/);
    expect(callFailed("KVM_GET_XSAVE", ENOTTY).remedy).toMatch(/soft engine/);
  });

  it("keeps the system's words where it knows nothing better", () => {
    expect(callFailed("KVM_RUN", 7).message).toBe("KVM_RUN: argument list too long (E2BIG)");
    expect(callFailed("KVM_RUN", 9999).message).toBe("KVM_RUN: unknown error (errno 9999)");
  });
});
