import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { beforeAll } from 'vitest'
import { openTun, type TunLink } from '../../src/link/device/tun.ts'
import { linkContract } from '../link/link-contract.ts'
import { between } from '../packet.ts'
import { describeOnTun } from './namespace.ts'

// Two devices, and the kernel between them as the wire: a router for packets, a bridge for frames.
describeOnTun('the contract of links', () => {
  beforeAll(() => {
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    // The kernel's own multicast reports and solicitations would be received too.
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1')
    execFileSync('ip', ['link', 'add', 'wire', 'type', 'bridge', 'mcast_snooping', '0'])
    execFileSync('ip', ['link', 'set', 'wire', 'up'])
  })

  const turn = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
  const isClosed = (link: TunLink) => {
    try {
      link.refresh()
      return false
    } catch {
      return true
    }
  }
  /** A waiting thread takes some time to start. */
  const settle = (a: TunLink, b: TunLink) => async () => {
    const deadline = performance.now() + 5000
    while (!isClosed(b) && b.counters.receivedPackets < a.counters.sentPackets && performance.now() < deadline)
      await turn(2)
    await turn(10)
  }

  for (const wakeup of ['uv', 'worker'] as const) {
    linkContract(`a pair of TUN devices, woken by ${wakeup},`, () => {
      const a = openTun({ wakeup, peer: '10.0.1.1/24' })
      const b = openTun({ wakeup, peer: '10.0.2.1/24' })
      return { a, b, settle: settle(a, b), frame: (payload) => between('10.0.1.2:1', '10.0.2.2:2', payload) }
    })
  }

  linkContract('a pair of TAP devices', () => {
    const a = openTun({ kind: 'tap' })
    const b = openTun({ kind: 'tap' })
    for (const { name } of [a, b]) execFileSync('ip', ['link', 'set', name, 'master', 'wire'])
    return { a, b, settle: settle(a, b) }
  })
})
