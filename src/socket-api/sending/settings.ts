/** The settings of one datagram: how it goes, where that is not as the socket says. */
import type { SendOptions } from '../../udp/endpoint.ts'
import { checkInteger, checkString } from '../dgram/arguments.ts'
import { errnoError } from '../dgram/errors.ts'
import { pmtuMode } from '../dgram/options.ts'
import type { SocketState } from '../dgram/state.ts'
import type { SendDetails } from '../dgram/types.ts'

/**
 * Reads them for the stack; `null` when there are none.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE
 * @throws {RangeError} ERR_OUT_OF_RANGE
 * @throws {Error} EINVAL, ENODEV
 */
export function sendOptions(state: SocketState, settings: SendDetails): SendOptions | null {
  const { ttl, tos, source, interface: nicName, dontFragment } = settings
  const options: SendOptions = {}
  if (ttl !== undefined) {
    checkInteger(ttl, 'ttl', 0, 255)
    options.hopLimit = ttl
  }
  if (tos !== undefined) {
    checkInteger(tos, 'tos', 0, 255)
    options.tos = tos
  }
  if (source !== undefined) {
    checkString(source, 'source')
    const scoped = state.readAddress(source)
    if (scoped === null) throw errnoError('EINVAL', 'send')
    options.source = scoped.address
    if (scoped.nic !== 0) options.nic = scoped.nic
  }
  if (nicName !== undefined) {
    checkString(nicName, 'interface')
    const nic = state.shared.stack.nic(nicName)
    if (nic === undefined) throw errnoError('ENODEV', 'send')
    options.nic = nic.index
  }
  if (dontFragment !== undefined) options.pmtuMode = pmtuMode(dontFragment, 'dontFragment')
  return Object.keys(options).length === 0 ? null : options
}
