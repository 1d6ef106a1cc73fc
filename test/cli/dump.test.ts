import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enhancedPacket, interfaceDescription, LINKTYPE_RAW, sectionHeader } from '../../src/link/capture/pcapng.ts'
import { Network } from '../../src/network/network.ts'
import '../../src/socket-api/dgram/dgram.ts'
import { testWith } from '../skips.ts'
import { compile, start } from './program.ts'

let program: ReturnType<typeof compile>
beforeAll(() => {
  program = compile()
}, 120_000)
afterAll(() => program.remove())

const run = (...args: string[]) => start(program.cli, args).end()

function file(name: string, bytes: Uint8Array): string {
  const path = join(program.directory, name)
  writeFileSync(path, bytes)
  return path
}

const head = (linkType: number) =>
  Buffer.concat([
    sectionHeader('test'),
    interfaceDescription({ name: 'if0', linkType, snapLength: 0, hardwareAddress: null }),
  ])

/** A datagram "hi\n" from Linux, 10.9.0.1:39268 to 10.9.0.2:99. */
const datagram = Buffer.from('4500001f03594000401123610a0900010a0900029964006300' + '0bdf9268690a', 'hex')
const packet = (time: bigint, comments: string[] = []) =>
  enhancedPacket(0, time, datagram, datagram.length, 'in', comments)
const small = () =>
  Buffer.concat([
    head(LINKTYPE_RAW),
    packet(1_700_000_000_000_000_000n, ['\x1b[31mred\nforged']),
    packet(1_700_000_000_500_000_001n),
  ])

/**
 * Frames of a small Ethernet: UDP of both families, fragments, a closed port, ARP and Neighbor
 * Discovery, and a TCP segment.
 */
async function ethernet(): Promise<Buffer> {
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
  const tcp = Buffer.from(
    (
      '020000000002 020000000001 0800 45000028000700004006 66c7 0a000001 0a000002 9c40 0035 00000001 ' +
      '00000000 5002 03e8 0000 0000'
    ).replaceAll(' ', ''),
    'hex',
  )
  return Buffer.concat([...chunks, enhancedPacket(0, 0n, tcp, tcp.length, 'unknown', [])])
}

test('a file, a packed file, and either of them by standard input, give the same lines', async () => {
  const plain = await run('dump', file('small.pcapng', small()))
  expect(plain).toMatchObject({ code: 0, stderr: '' })
  expect(plain.stdout).toBe(
    [
      '  0.000000 < IPv4 10.9.0.1 > 10.9.0.2 ttl 64 id 857 DF length 31, UDP 39268 > 99 payload 3 ' +
        '(\\x1b[31mred\\nforged)',
      '  0.500000 < IPv4 10.9.0.1 > 10.9.0.2 ttl 64 id 857 DF length 31, UDP 39268 > 99 payload 3',
      '',
    ].join('\n'),
  )
  expect(await run('dump', file('small.pcapng.gz', gzipSync(small())))).toEqual(plain)
  expect(await start(program.cli, ['dump', '-'], small()).end()).toEqual(plain)
  expect(await start(program.cli, ['dump', '-'], gzipSync(small())).end()).toEqual(plain)
}, 60_000)

test('what comes by standard input is printed while it comes', async () => {
  const child = spawn(process.execPath, [program.cli, 'dump', '-'])
  const bytes = small()
  child.stdin.write(bytes.subarray(0, bytes.length - 40))
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  expect(`${first}`).toContain('0.000000 < IPv4 10.9.0.1')
  child.stdin.end(bytes.subarray(bytes.length - 40))
  const [second] = (await once(child.stdout, 'data')) as [Buffer]
  expect(`${second}`).toContain('0.500000 < IPv4 10.9.0.1')
  expect(await once(child, 'close')).toEqual([0, null])
}, 60_000)

test('a signal ends what waits for standard input in good order', async () => {
  const child = spawn(process.execPath, [program.cli, 'dump', '-'])
  child.stdin.write(small().subarray(0, 300))
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  expect(await once(child, 'close')).toEqual([0, null])
}, 60_000)

test('JSON is a line for each packet, with all fields, and nothing in it acts on a terminal', async () => {
  const { code, stdout } = await run('dump', '--json', '-x', file('json.pcapng', small()))
  expect(code).toBe(0)
  expect(stdout).toMatch(/^[ -~\n]*$/)
  const lines = stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(2)
  expect(JSON.parse(lines[0] as string)).toMatchObject({
    number: 1,
    time: '1700000000.000000000',
    interface: 'if0',
    direction: 'in',
    linkType: 101,
    length: 31,
    captured: 31,
    drop: null,
    comments: ['\x1b[31mred\nforged'],
    line: 'IPv4 10.9.0.1 > 10.9.0.2 ttl 64 id 857 DF length 31, UDP 39268 > 99 payload 3',
    layers: [
      { name: 'IPv4', at: 0, length: 20, fields: { source: '10.9.0.1', TTL: '64' } },
      { name: 'UDP', at: 20, length: 8, fields: { 'source port': '39268', 'destination port': '99' } },
      { name: 'payload', at: 28, length: 3, fields: { bytes: '68690a' } },
    ],
    bytes: datagram.toString('hex'),
  })
  expect(JSON.parse(lines[1] as string)).toMatchObject({ number: 2, time: '1700000000.500000001' })
}, 60_000)

test('damage is exit code 1 after the packets before it, oddness a warning, and no packets are told', async () => {
  const bytes = small()
  const cut = await run('dump', file('cut.pcapng', bytes.subarray(0, bytes.length - 5)))
  expect(cut.code).toBe(1)
  expect(cut.stdout.split('\n')).toHaveLength(2)
  expect(cut.stderr).toMatch(/^tungram dump: The pcapng file is cut off in a block of \d+ bytes \(at byte \d+\)\.\n$/)
  const packed = gzipSync(bytes)
  const short = await run('dump', file('cut.gz', packed.subarray(0, packed.length - 9)))
  expect(short.code).toBe(1)
  expect(short.stderr).toMatch(/^tungram dump: cannot read .*cut\.gz: unexpected end of file\n$/)
  const odd = Buffer.concat([head(LINKTYPE_RAW), enhancedPacket(0, 0n, datagram, 7, 'in', [])])
  expect(await run('dump', file('odd.pcapng', odd))).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(
      /^tungram dump: warning: A packet of 7 bytes has 31 bytes in the file \(at byte \d+\)\.\n$/,
    ),
  })
  expect(await run('dump', file('none.pcapng', head(1)))).toEqual({
    code: 0,
    stdout: '',
    stderr: 'tungram dump: the capture has no packets\n',
  })
}, 60_000)

test('a reader of one line ends it at once, with the exit code that is documented', () => {
  const many = Buffer.concat([head(LINKTYPE_RAW), ...Array.from({ length: 200_000 }, () => packet(0n))])
  const path = file('many.pcapng', many)
  const script = `"$0" "$1" dump -x "$2" | head -1; echo "\${PIPESTATUS[0]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, program.cli, path], {
    encoding: 'utf8',
  })
  expect(stdout.split('\n').slice(1)).toEqual(['143', ''])
  expect(stderr).toBe('')
}, 60_000)

testWith(process.platform === 'linux', 'Linux')(
  'a reader that is slow costs no memory',
  async () => {
    const payload = Buffer.alloc(1400)
    const long = Buffer.concat([
      head(LINKTYPE_RAW),
      ...Array.from({ length: 40_000 }, () => enhancedPacket(0, 0n, payload, 1400, 'in', [])),
    ])
    const child = spawn(process.execPath, [program.cli, 'dump', '-x', '-v', file('long.pcapng', long)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const output = child.stdout as NonNullable<typeof child.stdout>
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024
    // The reader takes a little, and nothing more until the other side has come to a stop.
    await once(output, 'readable')
    let before = -1
    for (let now = cpu(child.pid as number); now !== before; now = cpu(child.pid as number)) {
      before = now
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    expect(memory()).toBeLessThan(200)
    child.kill('SIGKILL')
    await once(child, 'exit')
  },
  60_000,
)

/** Ticks of the processor that a process has had. */
function cpu(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

test('a file of more than 2 GiB is read to its end', async () => {
  const path = join(program.directory, 'huge.pcapng')
  const descriptor = openSync(path, 'w')
  const length = 16 << 20
  const begin = Buffer.alloc(8)
  begin.writeUInt32LE(0x0bad, 0)
  begin.writeUInt32LE(length, 4)
  let at = writeSync(descriptor, head(LINKTYPE_RAW))
  // Blocks that nobody knows, of holes.
  for (let i = 0; i < 130; i++) {
    writeSync(descriptor, begin, 0, 8, at)
    writeSync(descriptor, begin, 4, 4, at + length - 4)
    at += length
  }
  ftruncateSync(descriptor, at)
  writeSync(descriptor, packet(0n), 0, undefined, at)
  closeSync(descriptor)
  expect(at).toBeGreaterThan(2 ** 31)
  const { code, stdout, stderr } = await run('dump', path)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('IPv4 10.9.0.1 > 10.9.0.2')
}, 120_000)

const tcpdump = spawnSync('tcpdump', ['--version']).status === 0
testWith(tcpdump, 'the program tcpdump')(
  'filters choose what those of tcpdump choose',
  async () => {
    const path = file('filters.pcapng', await ethernet())
    const expressions = [
      'udp',
      'tcp',
      'arp',
      'ip',
      'ip6',
      'port 53',
      'tcp port 53',
      'udp port 53',
      'src port 5000',
      'dst port 53 or 54',
      'portrange 50-54',
      'host 10.0.0.2',
      'arp host 10.0.0.2',
      'src host 10.0.0.2',
      'host fd00::2',
      'net 10.0.0.0/24 and not arp',
      'not udp and not arp',
      '! udp',
      'port 53 or port 54 and host 10.0.0.9',
      'host 10.0.0.1 and port 53 or arp',
      'arp or host 10.0.0.1 and tcp',
      '(arp or udp) and (host 10.0.0.1 || ip6)',
      'not (udp or arp)',
      'not udp or arp',
    ]
    for (const expression of expressions) {
      const theirs = spawnSync('tcpdump', ['-nn', '-r', path, '--count', expression], { encoding: 'utf8' }).stdout
      const ours = await run('dump', path, expression)
      expect({ expression, packets: ours.stdout.split('\n').length - 1 }).toEqual({
        expression,
        packets: Number.parseInt(theirs, 10),
      })
    }
  },
  180_000,
)
