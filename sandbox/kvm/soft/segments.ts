/** `struct kvm_segment` to and from the processor's hidden segment registers. */
import type { Cpu } from "../../cpu/cpu.ts";
import { ACCESS, ACCESS_UNUSABLE, BASE, LIMIT, SELECTOR } from "../../cpu/state.ts";
import type { Segment } from "../api.ts";

export function getSegment({ r32 }: Cpu, segment: number): Segment {
  const access = r32[ACCESS + segment];
  return {
    base: BigInt(r32[BASE + segment] >>> 0),
    limit: r32[LIMIT + segment] >>> 0,
    selector: r32[SELECTOR + segment],
    type: access & 0xf,
    s: (access >>> 4) & 1,
    dpl: (access >>> 5) & 3,
    present: (access >>> 7) & 1,
    avl: (access >>> 12) & 1,
    l: (access >>> 13) & 1,
    db: (access >>> 14) & 1,
    g: (access >>> 15) & 1,
    unusable: (access & ACCESS_UNUSABLE) === 0 ? 0 : 1,
  };
}

export function setSegment(cpu: Cpu, segment: number, value: Segment): void {
  const access =
    (value.type & 0xf) |
    ((value.s & 1) << 4) |
    ((value.dpl & 3) << 5) |
    ((value.present & 1) << 7) |
    ((value.avl & 1) << 12) |
    ((value.l & 1) << 13) |
    ((value.db & 1) << 14) |
    ((value.g & 1) << 15) |
    // KVM takes a segment that is not present for an unusable one, too.
    (value.unusable !== 0 || (value.present & 1) === 0 ? ACCESS_UNUSABLE : 0);
  cpu.setSegment(
    segment,
    value.selector & 0xffff,
    Number(BigInt.asIntN(32, value.base)),
    value.limit | 0,
    access,
  );
}
