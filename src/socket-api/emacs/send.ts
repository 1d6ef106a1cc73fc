/** `processSend`: one datagram to the peer. */
import { Buffer } from 'node:buffer'
import { MAX_PACKET } from '../../base/packet.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import type { Errno } from '../../udp/errno.ts'
import { addressError, errnoError } from '../dgram/errors.ts'
import { badValue } from './arguments.ts'
import { addressText } from './contact.ts'
import type { Peer } from './network-address.ts'
import { type NetworkProcess, notRunning } from './process.ts'

/**
 * Sends one datagram to the peer. Strings are encoded as the process's `coding` says.
 * @throws {Error} with `code`: EDESTADDRREQ (no peer), EMSGSIZE, ENETUNREACH, EHOSTUNREACH, EACCES
 *   (a broadcast address without `broadcast`), EBADF (deleted). One for which the link has no room
 *   waits for it.
 * @throws {TypeError} for other data
 *
 * A peer that sent from port 0 has no port to answer to (RFC 768): nothing is sent, and the first
 * time a warning says so. It is no error, for otherwise anybody could end a server that answers.
 */
export function processSend(process: NetworkProcess, data: string | Uint8Array): void {
  const { endpoint, coding, peer, name } = process
  if (endpoint.closed) throw notRunning(process)
  if (typeof data !== 'string' && !(data instanceof Uint8Array))
    throw badValue('data', data, 'a string or a Uint8Array')
  if (peer === null) {
    const error = errnoError('EDESTADDRREQ', 'send')
    error.message +=
      `: process ${name} has no peer. It has one when a datagram has come, or setProcessDatagramAddress has ` +
      'set one.'
    throw error
  }
  if (peer.port === 0 && peer === process.sender) {
    warnOfPortZero(process, peer)
    return
  }
  const bytes = typeof data === 'string' ? Buffer.from(data, coding === 'buffer' ? 'utf-8' : coding) : data
  const error = process.backlog.count > 0 ? 'ENOBUFS' : transmit(endpoint, bytes, peer)
  if (error === 'ENOBUFS') {
    // The bytes are the caller's again.
    const copy = Uint8Array.from(bytes)
    process.backlog.send({ size: copy.length, attempt: () => transmit(endpoint, copy, peer), done: () => {} })
  } else if (error !== '') throw addressError(error, 'send', addressText(process, peer.address, peer.nic), peer.port)
  process.stayAlive()
}

function transmit(endpoint: Endpoint, bytes: Uint8Array, peer: Peer): Errno {
  if (bytes.length > MAX_PACKET) return 'EMSGSIZE'
  const packet = endpoint.beginSend(bytes.length)
  packet.bytes.set(bytes, packet.start)
  return endpoint.send(packet, peer.address, peer.port, peer.nic, null)
}

function warnOfPortZero(process: NetworkProcess, { address, nic }: Peer): void {
  if (process.warned) return
  process.warned = true
  const from = addressText(process, address, nic)
  globalThis.process.emitWarning(
    `Process ${process.name} does not answer ${from}, which sent from port 0: there is no port to send to.`,
  )
}
