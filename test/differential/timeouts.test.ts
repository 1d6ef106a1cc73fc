import { writeFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { describeOnTun } from '../tun/namespace.ts'
import { fragmentHeader, hex, ip4, ip6, join, pattern, u8, udp } from './raw-ip.ts'
import { HOST4, HOST6, makeHosts, PEER4, PEER6 } from './world.ts'

describeOnTun('the kernel and the stack, when fragments do not come', () => {
  const { kernel, stack } = makeHosts()
  afterAll(() => {
    kernel.close()
    stack.close()
  })

  /** What both say: behind the IP header, for that of IPv4 has an Identification. */
  async function timeout(packet: Uint8Array): Promise<{ kernel: string[]; stack: string[] }> {
    for (const name of ['ipv4/ipfrag_time', 'ipv6/ip6frag_time']) writeFileSync(`/proc/sys/net/${name}`, '1')
    const message = (each: Uint8Array) =>
      hex(each.subarray((each[0] as number) >>> 4 === 4 ? ((each[0] as number) & 15) * 4 : 40))
    const errors = (packets: Uint8Array[]) => packets.map(message).filter((each) => /^(0b01|0301)/.test(each))
    kernel.input(packet)
    stack.input(packet)
    await new Promise((resolve) => setTimeout(resolve, 1600))
    stack.clock.advance(60_000)
    return { kernel: errors(kernel.receive()), stack: errors(stack.receive()) }
  }

  test(
    'when fragments do not come, the kernel and the stack say Time Exceeded 1 about the first fragment (RFC ' +
      '792, RFC 1122 3.3.2)',
    async () => {
      const payload = udp({ from: PEER4, to: HOST4, payload: pattern(100) }).subarray(0, 64)
      for (const options of [u8(), u8(7, 7, 4, 0, 0, 0, 0)]) {
        const said = await timeout(
          ip4({ source: PEER4, destination: HOST4, id: 77 + options.length, mf: true, options, payload }),
        )
        expect(said.stack).toEqual(said.kernel)
        expect(said.stack).toHaveLength(1)
      }
    },
  )

  test('when fragments do not come, the kernel and the stack say nothing without the first fragment', async () => {
    const said = await timeout(
      ip4({ source: PEER4, destination: HOST4, id: 78, mf: true, offset: 64, payload: pattern(64) }),
    )
    expect(said).toEqual({ kernel: [], stack: [] })
    const said6 = await timeout(
      ip6({
        source: PEER6,
        destination: HOST6,
        next: 44,
        payload: join(fragmentHeader(17, 64, true, 78), pattern(64)),
      }),
    )
    expect(said6).toEqual({ kernel: [], stack: [] })
  })

  test(
    'when fragments do not come, the kernel and the stack say ICMPv6 Time Exceeded 1 about the first ' +
      'fragment (RFC 8200 4.5)',
    async () => {
      const payload = join(
        fragmentHeader(17, 0, true, 77),
        udp({ from: PEER6, to: HOST6, payload: pattern(100) }).subarray(0, 64),
      )
      const said = await timeout(ip6({ source: PEER6, destination: HOST6, next: 44, payload }))
      expect(said.stack).toEqual(said.kernel)
      expect(said.stack).toHaveLength(1)
    },
  )
})
