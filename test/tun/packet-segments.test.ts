/**
 * The law of offloads on real interfaces, for frames that leave a packet socket: what arrives is the
 * same with offloads and without, byte for byte.
 *
 * Behind the veth pair is a bridge of the kernel, and at its other port a TAP device, which takes
 * neither merged frames nor `Partial` checksums: the kernel makes single frames of them, and there
 * they are written down.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { release } from 'node:os'
import fc from 'fast-check'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { ChecksumState, HEADROOM, Packet } from '../../src/base/packet.ts'
import { openPacket } from '../../src/link/device/packet.ts'
import { openTun } from '../../src/link/device/tun.ts'
import type { Link } from '../../src/link/link.ts'
import { hex, make, pseudoSum, type Shape, shape } from '../link/offload-traffic.ts'
import { udpAt } from '../twins/segments.ts'
import { describeOnTun } from './namespace.ts'

const ip = (line: string) => execFileSync('ip', line.split(' '), { stdio: ['ignore', 'pipe', 'pipe'] })
const TYPE = { 4: [8, 0], 6: [0x86, 0xdd] } as const
const ADDRESSES = [2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 9]

/** Those of one length, many enough to fill frames, and all that is odd. */
function traffic(): Shape[] {
  const plain = { size: 1400, state: 'partial', step: 1, surplus: 0, field: 'none' } as const
  const many = Array.from({ length: 150 }, (_, index): Shape => ({ ...plain, size: index % 60 === 59 ? 7 : 1400 }))
  // A bridge trims what is longer than its IP header says.
  const odd = fc.sample(shape, { seed: 768, numRuns: 400 }).filter(({ field }) => field !== 'total length')
  return [...odd, ...many]
}

/** What comes to the one that the tests send to. */
function listen(link: Link): Uint8Array[] {
  const frames: Uint8Array[] = []
  link.attach({
    input: ({ bytes, start, end }) => {
      if (bytes[start] === 2 && bytes[start + 5] === 7) frames.push(bytes.slice(start, end))
    },
    idle() {},
    dropped() {},
    failed() {},
  })
  link.ref()
  return frames
}

/** Frames that came over the wire so far, merged ones as one. */
function passed(): number {
  const [link] = JSON.parse(ip('-s -j link show theirs').toString())
  return link.stats64.rx.packets
}

describeOnTun('frames that leave a packet socket together', () => {
  const links: Link[] = []
  const kept = <L extends Link>(link: L): L => {
    links.push(link)
    return link
  }

  beforeAll(() => {
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1')
    ip('link add wire type bridge mcast_snooping 0')
    ip('link add ours type veth peer name theirs')
    ip('link set theirs master wire')
    for (const name of ['wire', 'ours', 'theirs']) ip(`link set ${name} up`)
  })
  afterEach(() => {
    for (const link of links.splice(0)) link.close()
  })

  for (const family of [4, 6] as const) {
    test(`arrive one by one as they were sent, with offloads and without (IPv${family})`, async () => {
      const end = kept(openTun({ kind: 'tap', name: 'end', queueLength: 20_000 }))
      ip('link set end master wire')
      const arrived = listen(end)
      const between = listen(kept(openPacket({ interface: 'theirs', offload: family === 4 })))
      for (const offload of [true, false]) {
        const link = openPacket({ interface: 'ours', offload })
        listen(link)
        const before = passed()
        const sent: Uint8Array[] = []
        let identification = 65_000
        for (const [index, fields] of traffic().entries()) {
          identification += fields.step
          const { bytes, partial } = make(family, fields, identification, index)
          const frame = Uint8Array.from([...ADDRESSES, ...TYPE[family], ...bytes])
          sent.push(frame)
          const packet = new Packet(HEADROOM + 4096).load(frame)
          if (partial && offload) {
            const at = udpAt(bytes)
            packet.view.setUint16(packet.start + 14 + at + 6, pseudoSum(bytes, at))
            packet.checksumState = ChecksumState.Partial
          }
          expect(link.send(packet)).toBe(Drop.None)
          if (index % 100 === 99) await new Promise(setImmediate)
        }
        link.flush()
        await vi.waitFor(() => expect([arrived.length, between.length]).toEqual([sent.length, sent.length]), {
          timeout: 5000,
          interval: 5,
        })
        expect(hex(arrived.splice(0))).toEqual(hex(sent))
        // This end is one of tungram's.
        expect(hex(between.splice(0))).toHaveLength(sent.length)
        const [major, minor] = release().split('.').map(Number) as [number, number]
        const takesMerged = offload && (major > 6 || (major === 6 && minor >= 2))
        expect(link.segmentation).toBe(takesMerged)
        const frames = passed() - before
        if (takesMerged) expect(frames).toBeLessThan(sent.length / 2)
        else expect(frames).toBe(sent.length)
        link.close()
      }
    }, 20_000)
  }
})
