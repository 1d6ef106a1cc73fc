/**
 * What the Node that runs does otherwise than other versions: its own socket tells, for a change
 * may come in any release.
 */
import { nodeSocket } from '#platform'

/**
 * From 24.19 on: `bindSync` and `connectSync`. With them `bind` watches for failures without being
 * an 'error' listener, and `dns.lookup` is asked neither for addresses of the socket's family nor
 * before it is needed.
 */
export const HAS_SYNC_CALLS = 'bindSync' in nodeSocket

/** Until 25: `_handle`, which is deprecated. */
export const HAS_HANDLE = '_handle' in nodeSocket
