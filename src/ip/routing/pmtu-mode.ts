/**
 * What a sender wants of the Don't Fragment bit: IP_MTU_DISCOVER and IPV6_MTU_DISCOVER, with
 * Linux's numbers.
 */
export const PmtuMode = {
  /** Fragment freely, DF clear. */
  Dont: 0,
  /** DF set while the packet fits the path; fragments otherwise. */
  Want: 1,
  /** DF set always; longer than the path MTU is EMSGSIZE. */
  Do: 2,
  /** DF set always, the path MTU ignored; longer than the nic's MTU is EMSGSIZE. */
  Probe: 3,
} as const
export type PmtuMode = (typeof PmtuMode)[keyof typeof PmtuMode]
