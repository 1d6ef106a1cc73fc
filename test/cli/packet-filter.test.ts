import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeFrame } from '../../src/cli/frame-text.ts'
import { packetFilter } from '../../src/cli/packet-filter.ts'
import { readCapture } from '../../src/link/capture/capture-reader.ts'
import type { CapturedFrame } from '../../src/link/capture/pcapng.ts'
import { Network } from '../../src/network/network.ts'
import '../../src/socket-api/dgram/dgram.ts'
import { compile, start } from './program.ts'

/**
 * A port that is closed, a datagram in fragments, both families, ARP: all frames of a small
 * network.
 */
async function capture(): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  const network = new Network({ seed: 1 })
  const a = network.host('a')
  network.host('b')
  network.connect('a', 'b', { medium: 'ethernet' })
  network.capture((chunk) => chunks.push(chunk.slice()), { of: ['b'] })
  const four = a.dgram.createSocket('udp4')
  const six = a.dgram.createSocket('udp6')
  four.bind(5000)
  six.bind(5001)
  four.send('closed', 53, '10.0.0.2')
  four.send(Buffer.alloc(3000), 54, '10.0.0.2')
  six.send(Buffer.alloc(3000), 55, 'fd00::2')
  await network.run()
  network.close()
  return Buffer.concat(chunks)
}

const bytes = await capture()
const frames: CapturedFrame[] = [...readCapture(bytes)].map((frame) => ({ ...frame, bytes: frame.bytes.slice() }))
const count = (expression: string) => frames.filter((frame) => packetFilter(expression)(describeFrame(frame))).length

test('each word chooses what it says', () => {
  expect(count('port 53')).toBe(1)
  expect(count('port 5000')).toBe(2)
  // Three fragments of each family.
  expect(count('frag')).toBe(6)
  expect(count('frag and host 10.0.0.1')).toBe(3)
  expect(count('frag and host fd00::1')).toBe(3)
  // Errors quote UDP, but are ICMP.
  expect(count('proto icmp')).toBe(2)
  expect(count('proto icmp and port 53')).toBe(0)
  expect(count('proto arp')).toBeGreaterThan(0)
  expect(count('icmp')).toBe(count('proto icmp or proto icmp6'))
  // Later fragments have no header of UDP, and are its own all the same.
  expect(count('proto udp')).toBe(7)
})

test('and, or, not and parentheses join them as in tcpdump: not first, the others from left to right', () => {
  expect(count('port 53 or port 54 and host 10.0.0.9')).toBe(0)
  expect(count('port 53 or (port 54 and host 10.0.0.9)')).toBe(1)
  expect(count('port 53 || port 54 && ! host 10.0.0.9')).toBe(2)
  expect(count('host 10.0.0.9 and port 53 or port 54')).toBe(1)
  expect(count('not frag') + count('frag')).toBe(frames.length)
  expect(count('not frag and port 54')).toBe(0)
  expect(count('not (frag and port 54)')).toBe(frames.length - 1)
})

test('qualifiers choose the protocol, the side and the kind, and stay for the values that follow', () => {
  expect(count('udp port 53')).toBe(1)
  expect(count('udp')).toBe(count('proto udp'))
  expect(count('tcp or tcp port 53')).toBe(0)
  expect(count('src port 5000')).toBe(2)
  expect(count('dst port 5000')).toBe(0)
  expect(count('dst port 53 or 54 or 55')).toBe(3)
  expect(count('portrange 53-54')).toBe(2)
  expect(count('src or dst host 10.0.0.1')).toBe(count('host 10.0.0.1'))
  expect(count('src 10.0.0.1 and udp')).toBe(count('udp and host 10.0.0.1'))
  expect(count('net 10.0.0.0/24')).toBe(count('host 10.0.0.1 or host 10.0.0.2'))
  expect(count('ip6 net fd00::/8')).toBeGreaterThan(0)
  expect(count('arp host 10.0.0.2')).toBe(count('arp'))
  expect(count('vlan')).toBe(0)
})

test.each([
  ['net here', 'a prefix'],
  ['portrange 5', 'two ports'],
  ['53', "'53' where host"],
  ['src', 'an end where an address'],
])("'%s' is no filter either", (expression, reason) => {
  expect(() => packetFilter(expression)).toThrow(reason)
})

test.each([
  ['', "an end where host, port, proto, icmp, frag, not or '('"],
  ['host here', "'here' where an address"],
  ['port 70000', "'70000' where a port"],
  ['proto dccp', "'dccp' where one of udp"],
  ['icmp frag', "'frag' where 'and', 'or' or the end"],
  ['(icmp', "an end where ')'"],
  ['icmp and', 'an end where host'],
  ['ports 5', "'ports' where host"],
])("'%s' is no filter, and the error says why", (expression, reason) => {
  expect(() => packetFilter(expression)).toThrow(reason)
})

test('dump prints what the filter leaves, with the times of the whole file', async () => {
  const program = compile()
  try {
    const file = join(program.directory, 'filter.pcapng')
    writeFileSync(file, bytes)
    const { code, stdout } = await start(program.cli, ['dump', file, 'port 54 or', 'port 55']).end()
    expect({ code, lines: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 2 })
    const wrong = await start(program.cli, ['dump', file, 'nothing']).end()
    expect(wrong).toMatchObject({ code: 2, stdout: '' })
    expect(wrong.stderr).toContain("the filter has 'nothing' where host")
  } finally {
    program.remove()
  }
}, 60_000)
