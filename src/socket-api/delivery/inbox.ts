/**
 * Where an endpoint's datagrams wait for the program: the receiver of an endpoint, shared by the
 * sockets that were bound to its descriptor.
 */
import type { AsyncResource } from 'node:async_hooks'
import type { Buffer } from 'node:buffer'
import type { EventEmitter } from 'node:events'
import type { BlockList } from 'node:net'
import { formatWords } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import { HEADROOM, Packet } from '../../base/packet.ts'
import type { IcmpError } from '../../ip/icmp/icmp-error.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint, EndpointReceiver } from '../../udp/endpoint.ts'
import type { IcmpErrno } from '../../udp/errno.ts'
import { errnoError } from '../dgram/errors.ts'
import type { IcmpInfo, MessageInfo } from '../dgram/message-info.ts'
import { callListeners } from '../hosts/context.ts'
import type { AddressTexts } from './address-texts.ts'
import { messageOf } from './message-memory.ts'
import { MESSAGES_A_TURN, type Turns } from './turns.ts'

/** What an inbox needs to know of its stack, and of the other sockets on it. */
export interface InboxHost {
  readonly stack: Stack
  readonly turns: Turns
  /** The texts of addresses, as a socket of either family shows them. */
  readonly texts4: AddressTexts
  readonly texts6: AddressTexts
  /** The inbox is closed: its descriptor is free. */
  forget(inbox: Inbox): void
}

/** What an inbox needs to know of a socket. */
export interface Reader {
  readonly socket: EventEmitter
  readonly resource: AsyncResource
  readonly receiveBlockList: BlockList | undefined
  /**
   * Whether listeners are to be told: the socket is listening, and no iterator takes the messages
   * one by one.
   */
  readonly listening: boolean
  /** Whether `MessageInfo` is to have all its fields. */
  readonly recvInfo: boolean
  /** A message waits for an iterator. */
  messageWaits(): void
}

interface PendingError {
  readonly info: IcmpInfo
  readonly errno: IcmpErrno
}

export class Inbox implements EndpointReceiver {
  readonly endpoint: Endpoint
  /** The first gets the messages; a further one takes over when it closes. */
  readonly readers: Reader[] = []
  /** Number in the stack's table; -1 until somebody asked for it. */
  descriptor = -1
  readonly #host: InboxHost
  /**
   * Messages and their infos in order of arrival; an ICMP error has `null` for its info. What lies
   * before `#next` was taken.
   */
  readonly #messages: (Buffer<ArrayBuffer> | PendingError)[] = []
  readonly #infos: (MessageInfo | null)[] = []
  #next = 0
  #emitting = false
  #resuming = false
  /** What an iterator may still take before the next turn. */
  #share = MESSAGES_A_TURN
  readonly #emitFirst = () => this.#emit((this.readers[0] as Reader).socket)
  readonly #emitNext = () => callListeners(this.#host.stack, this.#emitFirst)
  readonly #resume = () => {
    this.#resuming = false
    this.#share = MESSAGES_A_TURN
    this.flush()
  }

  constructor(host: InboxHost, family: 4 | 6) {
    this.#host = host
    this.endpoint = host.stack.udp.createEndpoint(family, this)
  }

  receive(packet: Packet, sourcePort: number): void {
    const host = this.#host
    const { endpoint } = this
    const four = endpoint.family === 4
    const texts = four ? host.texts4 : host.texts6
    const address = texts.text(packet.s0, packet.s1, packet.s2, packet.s3, packet.nic)
    const size = packet.end - packet.start
    const reader = this.readers[0]
    if (reader?.receiveBlockList?.check(address, four ? 'ipv4' : 'ipv6')) {
      endpoint.release(size)
      host.stack.counters.drop(Drop.UdpBlocked, packet)
      return
    }
    const info: MessageInfo = { address, family: four ? 'IPv4' : 'IPv6', port: sourcePort, size }
    if (reader?.recvInfo) {
      info.ttl = packet.hopLimit
      info.tos = packet.tos
      info.ecn = packet.tos & 3
      info.local = texts.text(packet.d0, packet.d1, packet.d2, packet.d3, packet.nic)
      info.interface = host.stack.nic(packet.nic)?.name ?? ''
      info.fragments = packet.fragments
      info.timestamp = host.stack.clock.wallTime()
    }
    this.#messages.push(messageOf(packet))
    this.#infos.push(info)
  }

  icmp(error: IcmpError, errno: IcmpErrno): void {
    const { family, type, code, mtu, pointer, offender, destination, destinationPort, extensions } = error
    const info: IcmpInfo = {
      family: family === 4 ? 'IPv4' : 'IPv6',
      type,
      code,
      mtu,
      pointer,
      offender: offender.toString(),
      destination: {
        address: formatWords(destination.w0, destination.w1, destination.w2, destination.w3),
        port: destinationPort,
      },
      extensions,
    }
    this.#messages.push({ info, errno })
    this.#infos.push(null)
    this.endpoint.queue.chargeError(extensions)
  }

  /** Emits what waits, as much as one turn allows. */
  flush(): void {
    if (this.#emitting || this.#resuming || this.#next === this.#messages.length) return
    const reader = this.readers[0]
    if (reader === undefined || !reader.listening) {
      this.#share = MESSAGES_A_TURN
      reader?.messageWaits()
      return
    }
    const { turns } = this.#host
    // Another socket's listener may have run in this wake-up.
    if (!turns.begin()) {
      this.later()
      return
    }
    this.#emitting = true
    try {
      this.#emitShare()
    } finally {
      this.#emitting = false
      this.#compact()
      // The turn's share is taken, or a listener has thrown.
      if (this.#next < this.#messages.length && this.readers[0]?.listening) this.later()
      turns.end()
    }
  }

  #emitShare(): void {
    const { turns } = this.#host
    for (let count = 1; ; count++) {
      const next = this.readers[0]
      if (next === undefined || !next.listening) return
      next.resource.runInAsyncScope(turns.call, turns, this.#emitNext)
      if (this.#next === this.#messages.length || count === MESSAGES_A_TURN || !turns.between(count > 1)) return
    }
  }

  #emit(socket: EventEmitter): void {
    const at = this.#next++
    const info = this.#infos[at] as MessageInfo | null
    const message = this.#messages[at] as Buffer<ArrayBuffer> | PendingError
    if (info !== null) {
      this.endpoint.release(info.size)
      socket.emit('message', message, info)
      return
    }
    const { info: icmp, errno } = message as PendingError
    this.endpoint.queue.releaseError(icmp.extensions)
    socket.emit('icmp', icmp)
    if (errno !== '' && !this.endpoint.closed) socket.emit('error', errnoError(errno, 'recvmsg'))
  }

  /**
   * The next message for an iterator, or `null` when there is none in this turn; ICMP errors on the
   * way are emitted.
   */
  take(reader: Reader): { msg: Buffer<ArrayBuffer>; rinfo: MessageInfo } | null {
    while (!this.#resuming && this.#next < this.#messages.length && this.readers[0] === reader) {
      const at = this.#next
      const info = this.#infos[at] as MessageInfo | null
      if (info === null) {
        try {
          this.#emitNext()
        } catch (error) {
          this.#host.turns.raise(error)
        }
        continue
      }
      if (this.#share-- === 0) {
        this.later()
        break
      }
      this.#next++
      this.endpoint.release(info.size)
      const msg = this.#messages[at] as Buffer<ArrayBuffer>
      this.#compact()
      return { msg, rinfo: info }
    }
    return null
  }

  /** The socket no longer reads; the last one closes the endpoint. */
  leave(reader: Reader): void {
    const at = this.readers.indexOf(reader)
    if (at >= 0) this.readers.splice(at, 1)
    if (this.readers.length > 0) {
      this.later()
      return
    }
    this.#host.forget(this)
    this.endpoint.close()
    this.#discard()
    if (!this.#emitting) this.#compact()
  }

  /** What nobody will read any more is a drop with a name. */
  #discard(): void {
    for (; this.#next < this.#messages.length; this.#next++) {
      const info = this.#infos[this.#next] as MessageInfo | null
      if (info === null) continue
      const packet = new Packet(HEADROOM + info.size).load(this.#messages[this.#next] as Buffer<ArrayBuffer>)
      packet.family = this.endpoint.family
      this.#host.stack.counters.drop(Drop.UdpClosed, packet)
    }
  }

  /** Emits what waits, in a later turn. */
  later(): void {
    if (this.#resuming) return
    this.#resuming = true
    this.#host.stack.clock.soon(this.#resume)
  }

  #compact(): void {
    if (this.#next < this.#messages.length) {
      // Amortised: half of the array has to be taken before it is moved.
      if (this.#next < 64 || this.#next * 2 < this.#messages.length) return
      this.#messages.splice(0, this.#next)
      this.#infos.splice(0, this.#next)
    } else if (this.#next === 1) {
      // The usual case of a lone message; setting the length frees memory that the next one asks
      // for again, for 0.1 µs each.
      this.#messages.pop()
      this.#infos.pop()
    } else {
      this.#messages.length = 0
      this.#infos.length = 0
    }
    this.#next = 0
  }
}
