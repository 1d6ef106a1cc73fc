import { describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { PathMtuProber, type ProberOptions, probePath } from '../../../src/ip/icmp/path-mtu-prober.ts'
import { Segment } from '../../../src/link/segment.ts'
import { Stack } from '../../../src/stack.ts'

/**
 * A path that knows its true size, and tells of probes that are too long, says nothing, or lies.
 */
class Oracle {
  readonly clock = new ManualClock()
  readonly sent: number[] = []
  truth: number
  readonly reports: (truth: number, size: number) => number
  readonly prober: PathMtuProber

  constructor(truth: number, reports: (truth: number, size: number) => number, options: Partial<ProberOptions> = {}) {
    this.truth = truth
    this.reports = reports
    this.prober = new PathMtuProber({
      clock: this.clock,
      max: 9000,
      precision: 1,
      ...options,
      send: (size) => {
        this.sent.push(size)
        this.clock.schedule(10, () => {
          if (size <= this.truth) this.prober.acknowledged(size)
          else {
            const told = this.reports(this.truth, size)
            if (told > 0) this.prober.tooBig(told)
          }
        })
      },
    })
    this.prober.start()
  }

  /** Until the search is over. */
  settle(): void {
    for (let i = 0; i < 1000 && this.prober.state !== 'complete'; i++) this.clock.step()
  }
}

const truthful = (truth: number) => truth
const silent = () => 0

describe('a path MTU prober (RFC 8899)', () => {
  test.each([1200, 1201, 1280, 1399, 1492, 1500, 4352, 8999, 9000])(
    'finds %i exactly, with ICMP and without it (RFC 8899 5.3)',
    (truth) => {
      for (const reports of [truthful, silent]) {
        const oracle = new Oracle(truth, reports)
        oracle.settle()
        expect(oracle.prober.size).toBe(truth)
        expect(oracle.prober.state).toBe('complete')
      }
    },
  )

  test('needs few probes when routers speak', () => {
    const oracle = new Oracle(1400, truthful)
    oracle.settle()
    expect(oracle.sent).toEqual([1200, 9000, 1400])
  })

  test('counts a size as too long only after three unanswered probes (RFC 8899 5.1.2)', () => {
    const oracle = new Oracle(1400, silent, { max: 1500, precision: 100 })
    oracle.settle()
    expect(oracle.sent).toEqual([1200, 1500, 1500, 1500, 1350, 1425, 1425, 1425].slice(0, oracle.sent.length))
    expect(oracle.prober.size).toBe(1350)
  })

  test('is not raised by a report that promises too much, nor moved by one below the minimum (RFC 8899 4.6.2)', () => {
    const promising = new Oracle(1400, (_truth, size) => size - 1, { max: 1500 })
    promising.settle()
    expect(promising.prober.size).toBe(1400)
    const absurd = new Oracle(1400, () => 68, { max: 1500 })
    absurd.settle()
    expect(absurd.prober.size).toBe(1400)
  })

  test('recovers from a report that claims too little when it raises its size again (RFC 8899 5.3.3)', () => {
    let lying = true
    const oracle = new Oracle(1400, (truth) => (lying ? 1250 : truth), { max: 1500 })
    oracle.settle()
    expect(oracle.prober.size).toBe(1250)
    lying = false
    oracle.clock.advance(600_000)
    oracle.settle()
    expect(oracle.prober.size).toBe(1400)
  })

  test('notices a black hole, and finds the smaller size (RFC 8899 4.3)', () => {
    const oracle = new Oracle(1500, silent, { max: 1500 })
    oracle.settle()
    expect(oracle.prober.size).toBe(1500)
    oracle.truth = 1300
    oracle.clock.advance(30_000 + 3 * 15_000)
    expect(oracle.prober.size).toBeLessThanOrEqual(1300)
    oracle.settle()
    expect(oracle.prober.size).toBe(1300)
  })

  test('falls to the minimum where the base size does not pass, and gets out of it (RFC 8899 5.2)', () => {
    const states: string[] = []
    const oracle = new Oracle(1000, silent, {
      max: 1500,
      min: 68,
      changed: (size, state) => states.push(`${state} ${size}`),
    })
    oracle.clock.advance(60_000)
    expect(oracle.prober.state).toBe('error')
    expect(oracle.prober.size).toBe(68)
    oracle.truth = 1500
    oracle.settle()
    expect(oracle.prober.size).toBe(1500)
    expect(states.slice(0, 2)).toEqual(['base 1200', 'error 68'])
  })

  test('leaves no timer behind', () => {
    const oracle = new Oracle(1400, silent)
    oracle.clock.advance(100)
    oracle.prober.stop()
    oracle.clock.advance(20)
    expect(oracle.clock.nextTime).toBe(Number.POSITIVE_INFINITY)
  })

  test.each([
    ['192.0.2.1/24', '198.51.100.7/24', '192.0.2.2/24', '198.51.100.1/24'],
    ['2001:db8:1::1/64', '2001:db8:2::7/64', '2001:db8:1::2/64', '2001:db8:2::1/64'],
  ])('finds the MTU of a path by echo requests from %s to %s (RFC 8899 6)', (own, far, routerNear, routerFar) => {
    for (const filtered of [false, true]) {
      const clock = new ManualClock()
      const near = new Segment({ clock, mtu: 1500 })
      const beyond = new Segment({ clock, mtu: 1380 })
      const host = new Stack({ clock })
      const router = new Stack({ clock, forwarding: true, icmpRateLimit: false })
      const target = new Stack({ clock })
      const address = (cidr: string) => cidr.slice(0, cidr.indexOf('/'))
      host.addNic(near.link(), { name: 'eth', addresses: [own] })
      router.addNic(near.link(), { name: 'near', addresses: [routerNear] })
      router.addNic(beyond.link(), { name: 'far', addresses: [routerFar] })
      target.addNic(beyond.link(), { name: 'eth', addresses: [far] })
      host.addRoute({ to: 'default', via: address(routerNear) })
      target.addRoute({ to: 'default', via: address(routerFar) })
      // A router whose errors do not come back.
      if (filtered) router.ip.icmp.sendError = () => {}
      const prober = probePath(host.ip.icmp, Address.parse(address(far)), { clock, max: 1500, precision: 1 })
      prober.start()
      for (let i = 0; i < 5000 && prober.state !== 'complete'; i++) clock.step()
      expect(prober.size).toBe(1380)
      prober.stop()
    }
  })
})
