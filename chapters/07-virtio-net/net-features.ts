// Given: this file of the layer has no exercises.
// Generated from solutions/07-virtio-net/net-features.ts by `npm run starters` (0b434828).
/**
 * The feature bits of a virtio network card: what this one offers, and what goes only with what.
 *
 * Source: VIRTIO 1.2, 5.1.3 "Feature bits" and 5.1.3.1 "Feature bit requirements".
 */
import type { OffloadSupport } from "./net-backend.ts";

export const F_CSUM = 0;
export const F_GUEST_CSUM = 1;
export const F_MTU = 3;
export const F_MAC = 5;
export const F_GUEST_TSO4 = 7;
export const F_GUEST_TSO6 = 8;
export const F_GUEST_ECN = 9;
export const F_HOST_TSO4 = 11;
export const F_HOST_TSO6 = 12;
export const F_HOST_ECN = 13;
export const F_MRG_RXBUF = 15;
export const F_STATUS = 16;
export const F_CTRL_VQ = 17;
export const F_CTRL_RX = 18;
export const F_CTRL_VLAN = 19;
export const F_CTRL_RX_EXTRA = 20;
export const F_CTRL_MAC_ADDR = 23;

const ALWAYS = [
  F_MAC,
  F_MRG_RXBUF,
  F_STATUS,
  F_CTRL_VQ,
  F_CTRL_RX,
  F_CTRL_VLAN,
  F_CTRL_RX_EXTRA,
  F_CTRL_MAC_ADDR,
];
const WITH_CHECKSUM = [F_CSUM, F_GUEST_CSUM];
const WITH_SEGMENTATION = [F_HOST_TSO4, F_HOST_TSO6, F_HOST_ECN, F_GUEST_TSO4, F_GUEST_TSO6, F_GUEST_ECN];

/** Each feature needs one of those beside it. */
const NEEDS: readonly (readonly [feature: number, oneOf: readonly number[]])[] = [
  [F_GUEST_TSO4, [F_GUEST_CSUM]],
  [F_GUEST_TSO6, [F_GUEST_CSUM]],
  [F_GUEST_ECN, [F_GUEST_TSO4, F_GUEST_TSO6]],
  [F_HOST_TSO4, [F_CSUM]],
  [F_HOST_TSO6, [F_CSUM]],
  [F_HOST_ECN, [F_HOST_TSO4, F_HOST_TSO6]],
  [F_CTRL_RX, [F_CTRL_VQ]],
  [F_CTRL_RX_EXTRA, [F_CTRL_VQ]],
  [F_CTRL_VLAN, [F_CTRL_VQ]],
  [F_CTRL_MAC_ADDR, [F_CTRL_VQ]],
];

/** The numbers of the features that a card offers on a backend that takes `offloads`. */
export function offeredFeatures(offloads: OffloadSupport, hasMtu: boolean): number[] {
  return [
    ...ALWAYS,
    ...(hasMtu ? [F_MTU] : []),
    ...(offloads.checksum ? WITH_CHECKSUM : []),
    ...(offloads.checksum && offloads.segmentation ? WITH_SEGMENTATION : []),
  ];
}

/** Whether a driver that chose features as `has` tells has chosen what they need as well. */
export function isConsistent(has: (feature: number) => boolean): boolean {
  return NEEDS.every(([feature, oneOf]) => !has(feature) || oneOf.some(has));
}
