/**
 * Every truncation and every changed byte of every vector, through a whole stack: nothing throws,
 * and nothing vanishes without a reason.
 */
import { describe, expect, test } from 'vitest'
import { HEADROOM, Packet } from '../src/base/packet.ts'
import { type Host, type Mailbox, makeHost, open } from './host.ts'
import { slowChecksum } from './twins/checksum.ts'
import { readVectors, type Vector } from './vectors/read.ts'

const vectors = [...readVectors('ipv4'), ...readVectors('ipv6')].map((each) => ({
  each,
  family: each.text('ip.len') === '' ? 6 : 4,
  name: each.name,
}))

/** Every bit by itself, and bytes that become their opposite or another one. */
const CHANGES = [1, 2, 4, 8, 16, 32, 64, 128, 255, 0x3a, 0x69, 0x11]
/** Bytes of payload say nothing new: behind this many, fewer changes are tried. */
const HEADERS = 120

/** Makes the checksums right again, so that the change is seen by the layer it is for. */
function mend(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer)
  if (bytes.length < 20) return
  if ((bytes[0] as number) >>> 4 === 4) {
    const header = ((bytes[0] as number) & 15) * 4
    if (header < 20 || header > bytes.length) return
    view.setUint16(10, 0)
    view.setUint16(10, slowChecksum(bytes.subarray(0, header)))
    const end = Math.min(bytes.length, view.getUint16(2))
    if (bytes[9] === 1 && end - header >= 8 && (view.getUint16(6) & 0x3fff) === 0) {
      view.setUint16(header + 2, 0)
      view.setUint16(header + 2, slowChecksum(bytes.subarray(header, end)))
    } else if (bytes[9] === 17 && end - header >= 8) view.setUint16(header + 6, 0)
  } else if (bytes.length >= 48 && bytes[6] === 58) {
    const end = Math.min(bytes.length, 40 + view.getUint16(4))
    if (end < 48) return
    view.setUint16(42, 0)
    const pseudo = [...bytes.subarray(8, 40), 0, 0, (end - 40) >>> 8, (end - 40) & 255, 0, 0, 0, 58]
    view.setUint16(42, slowChecksum(Uint8Array.from([...pseudo, ...bytes.subarray(40, end)])))
  }
}

class Tried {
  readonly host: Host = makeHost()
  readonly mailboxes: Mailbox[]
  #sum = 0

  constructor() {
    const { stack } = this.host
    this.mailboxes = [
      open(stack, 4, 7),
      open(stack, 6, 7, '::', (endpoint) => (endpoint.ipv6Only = true)),
      open(stack, 6, 40_000),
    ].map(({ mailbox }) => mailbox)
    this.#sum = this.#accounted()
  }

  /** Whatever can become of a packet, added up. */
  #accounted(): number {
    const { stack } = this.host
    const { counters } = stack
    const drops = counters.drops.reduce((sum, { count }) => sum + count, 0)
    const kept = counters.IpReasmReqds + counters.Ip6ReasmReqds
    const mail = this.mailboxes.reduce((sum, { received, errors }) => sum + received.length + errors.length, 0)
    return drops + kept + mail + counters.IcmpInMsgs + counters.Icmp6InMsgs
  }

  input(bytes: Uint8Array): void {
    // A buffer without a byte behind the frame: reading on would throw.
    this.host.link.receivePacket(new Packet(HEADROOM + bytes.length).load(bytes))
    const sum = this.#accounted()
    if (sum === this.#sum) throw new Error(`a packet vanished without a reason: ${Buffer.from(bytes).toString('hex')}`)
    this.#sum = sum
    this.host.link.take()
    for (const { received, errors } of this.mailboxes) {
      this.#sum -= received.length + errors.length
      received.length = 0
      errors.length = 0
    }
  }
}

describe.each(vectors)('IPv$family, $name', ({ each }: { each: Vector }) => {
  test('cut after each of its bytes', () => {
    const tried = new Tried()
    for (let length = 0; length < each.bytes.length; length++) tried.input(each.bytes.slice(0, length))
    expect(tried.host.stack.drops.length).toBeGreaterThan(0)
  })

  test('cut after each of its bytes, with the length and the checksums to match', () => {
    const tried = new Tried()
    const six = (each.bytes[0] as number) >>> 4 === 6
    for (let length = six ? 40 : 20; length < each.bytes.length; length++) {
      const bytes = each.bytes.slice(0, length)
      new DataView(bytes.buffer).setUint16(six ? 4 : 2, six ? length - 40 : length)
      mend(bytes)
      tried.input(bytes)
    }
    expect(tried.host.stack.counters.IpInReceives + tried.host.stack.counters.Ip6InReceives).toBeGreaterThan(0)
  })

  test.each([
    ['as it is', (_: Uint8Array) => {}],
    ['with the checksums to match', mend],
  ])('with each byte changed, %s', (_name, then) => {
    const tried = new Tried()
    let inputs = 0
    for (let at = 0; at < each.bytes.length; at++) {
      for (const change of at < HEADERS ? CHANGES : CHANGES.slice(8, 9)) {
        const bytes = each.bytes.slice()
        bytes[at] = (bytes[at] as number) ^ change
        then(bytes)
        tried.input(bytes)
        inputs++
      }
    }
    const { rxPackets } = tried.host.nic
    expect(rxPackets).toBe(inputs)
  })
})
