/** How much a stack remembers of its neighbors. */

/**
 * Defaults are Linux's (`net.ipv4.neigh.default`), but for the last one, which Linux does not have.
 */
export interface NeighborOptions {
  /**
   * Entries of one nic and family from which on those unused for a minute are forgotten. Default
   * 128.
   */
  gcThresh1?: number
  /** Entries from which on those that did not change for five seconds are. Default 512. */
  gcThresh2?: number
  /** Entries at most, those set by hand not counted. Default 1024. */
  gcThresh3?: number
  /**
   * Bytes that may wait for one neighbor's hardware address, what it takes to keep them included.
   * Default 212 992.
   */
  queueBytes?: number
  /** Bytes that may wait for all neighbors of the stack. Default 4 MiB. */
  totalQueueBytes?: number
}

/** The least that each may be; thresholds stand in their order besides. */
export const NEIGHBOR_MINIMUM: NeighborLimits = {
  gcThresh1: 0,
  gcThresh2: 0,
  gcThresh3: 1,
  queueBytes: 0,
  totalQueueBytes: 0,
}

export type NeighborLimits = Readonly<Required<NeighborOptions>>

export const NEIGHBOR_LIMITS: NeighborLimits = {
  gcThresh1: 128,
  gcThresh2: 512,
  gcThresh3: 1024,
  queueBytes: 212_992,
  totalQueueBytes: 4 * 1024 * 1024,
}
