/** Packages from npm, unmodified, on hosts of a network: several hosts in one process, with `host.run`. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Network } from '../../src/network-node.ts'
import type { Stack } from '../../src/stack.ts'
import { compile } from '../cli/program.ts'
import { describeWith } from '../skips.ts'
import { selfSigned } from './certificate.ts'
import { here } from './child.ts'

const require = createRequire(import.meta.url)
const installed = existsSync(join(here, 'node_modules'))
const describeInstalled = describeWith(
  installed,
  "the packages of 'npm ci --prefix test/drop-in'",
  'TUNGRAM_REQUIRE_DROPIN',
)

describeInstalled('unmodified packages run as hosts', () => {
  let network: Network
  let client: Stack
  let server: Stack

  beforeEach(() => {
    network = new Network({ seed: 1 })
    client = network.host('client')
    server = network.host('server')
    network.router('router')
    network.connect(client, 'router', { delay: 10 })
    network.connect('router', server, { delay: 10 })
    network.only()
  })
  afterEach(() => network.close())

  /** What arrived at the sockets of a host. */
  const arrived = ({ counters: { four, six } }: Stack) => four.UdpInDatagrams + six.UdpInDatagrams

  test('coap: a request and its answer in blocks', async () => {
    const coap = require('coap')
    const service = server.run(() => {
      const made = coap.createServer((request: { url: string }, response: { end(text: string): void }) =>
        response.end(request.url.repeat(1000)),
      )
      made.listen()
      return made
    })
    const answer = client.run(
      () =>
        new Promise<string>((resolve, reject) => {
          const asked = coap.request({ hostname: 'server', pathname: '/light' })
          asked.on('response', (response: { payload: Buffer }) => resolve(response.payload.toString()))
          asked.on('error', reject)
          asked.end()
        }),
    )
    expect(await network.run(answer)).toBe('/light'.repeat(1000))
    expect(arrived(client)).toBe(arrived(server))
    // Six blocks of 1024 bytes, 40 ms there and back each.
    expect(network.now).toBe(240)
    service.close()
  })

  test('dns2: a name server and who asks it', async () => {
    const DNS2 = require('dns2')
    const service = server.run(() => {
      const made = DNS2.createServer({
        udp: true,
        handle(request: { questions: { name: string }[] }, send: (response: unknown) => void) {
          const response = DNS2.Packet.createResponseFromRequest(request)
          const { TYPE, CLASS } = DNS2.Packet
          response.answers.push({
            name: request.questions[0]?.name,
            type: TYPE.A,
            class: CLASS.IN,
            ttl: 60,
            address: '192.0.2.80',
          })
          send(response)
        },
      })
      made.listen({ udp: 53 })
      return made
    })
    const resolve = client.run(() => DNS2.UDPClient({ dns: network.address('server') }))
    const { answers } = (await network.run(client.run(() => resolve('www.example.org')))) as {
      answers: { address: string }[]
    }
    expect(answers.map(({ address }) => address)).toEqual(['192.0.2.80'])
    expect([arrived(client), arrived(server)]).toEqual([1, 1])
    await network.run(service.close())
  })

  test('multicast-dns: who answers on a segment, and who does not hear it', async () => {
    const mdns = require('multicast-dns')
    network.segment('lan')
    const names = ['printer', 'laptop', 'deaf']
    const hosts = names.map((name) => network.host(name))
    for (const name of ['router', ...names]) network.connect(name, 'lan')
    const [responder, querier] = hosts.slice(0, 2).map((host) => host.run(() => mdns()))
    responder.on('query', ({ questions }: { questions: { name: string }[] }) => {
      if (questions.some(({ name }) => name === 'printer.local'))
        responder.respond({
          answers: [{ name: 'printer.local', type: 'A', ttl: 300, data: network.address('printer') }],
        })
    })
    const answer = new Promise<[unknown, unknown]>((resolve) =>
      querier.on('response', ({ answers }: { answers: { data: string }[] }, { address }: { address: string }) =>
        resolve([answers[0]?.data, address]),
      ),
    )
    querier.query('printer.local', 'A')
    const printer = network.address('printer')
    expect(await network.run(answer)).toEqual([printer, printer])
    expect(hosts.map((host) => arrived(host) > 0)).toEqual([true, true, false])
    responder.destroy()
    querier.destroy()
  })

  test('bittorrent-dht: eight nodes on eight hosts; what one stores another finds', async () => {
    const { default: DHT } = await import('bittorrent-dht' as string)
    const peers = Array.from({ length: 8 }, (_, index) => network.host(`peer${index}`))
    for (const peer of peers) network.connect(peer, 'router', { delay: 5 })
    const nodes = peers.map((peer, index) =>
      peer.run(() => new DHT({ bootstrap: index === 0 ? false : [`${network.address('peer0')}:20000`], verify: null })),
    )
    const ready = nodes.map(
      (node) =>
        new Promise((resolve) => {
          node.listen(20000)
          if (node.ready) resolve(null)
          else node.once('ready', resolve)
        }),
    )
    await network.run(Promise.all(ready))
    const call = <T>(begin: (done: (error: Error | null, value: T) => void) => void) =>
      network.run(
        new Promise<T>((resolve, reject) => begin((error, value) => (error ? reject(error) : resolve(value)))),
      )
    const hash = await call<Buffer>((done) => nodes[2].put({ v: Buffer.from('kept') }, done))
    const found = await call<{ v: Buffer }>((done) => nodes[7].get(hash, done))
    expect(found.v.toString()).toBe('kept')
    expect(peers.every((peer) => arrived(peer) > 0)).toBe(true)
    for (const node of nodes) node.destroy()
  })

  test('werift: two peers on two hosts find each other by ICE and talk over DTLS', async () => {
    const restore = network.installTimers()
    const { RTCPeerConnection } = require('werift')
    const settings = { iceServers: [], iceUseIpv6: true }
    const [a, b] = [client, server].map((host) => host.run(() => new RTCPeerConnection(settings)))
    const channel = client.run(() => a.createDataChannel('talk'))
    type Channel = {
      onMessage: { subscribe(listener: (data: unknown) => void): void }
      send(data: unknown): void
    }
    b.onDataChannel.subscribe((remote: Channel) =>
      remote.onMessage.subscribe((data) => remote.send(`${data}, and hello`)),
    )
    const answer = new Promise((resolve) => channel.onMessage.subscribe(resolve))
    channel.stateChanged.subscribe((state: string) => state === 'open' && channel.send(Buffer.from('hello')))
    const meet = async () => {
      await client.run(async () => a.setLocalDescription(await a.createOffer()))
      await server.run(() => b.setRemoteDescription(a.localDescription))
      await server.run(async () => b.setLocalDescription(await b.createAnswer()))
      await client.run(() => a.setRemoteDescription(b.localDescription))
      return String(await answer)
    }
    expect(await network.run(meet())).toBe('hello, and hello')
    expect(a.localDescription.sdp).toContain(network.address('client'))
    expect(a.localDescription.sdp).not.toContain(network.address('server'))
    expect(b.localDescription.sdp).toContain(network.address('server'))
    // Its keys are made in threads of the machine, for which simulated time waits.
    expect(network.now).toBeLessThan(2000)
    await network.run(Promise.all([client.run(() => a.close()), server.run(() => b.close())]))
    restore()
  })

  test('the program of the recipe runs', () => {
    const page = readFileSync(new URL('../../docs/recipes/test-an-npm-package.md', import.meta.url), 'utf8')
    const program = /```js\n([\s\S]*?)```/.exec(page)?.[1] as string
    const { directory, remove } = compile()
    // Beside the packages, so that it finds them.
    const file = join(here, `recipe-${process.pid}.test.mjs`)
    try {
      writeFileSync(
        file,
        program.replace("'tungram/testing'", `'${pathToFileURL(join(directory, 'testing.js')).href}'`),
      )
      const run = spawnSync(process.execPath, ['--test', file], { encoding: 'utf8', timeout: 30_000 })
      expect(run.stdout).toContain('CoAP asks again until it is answered')
      expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' })
    } finally {
      rmSync(file)
      remove()
    }
  })
})

/** Other versions of Node: paths of their programs, with colons between them. */
const others = (process.env.TUNGRAM_NODES ?? '').split(':').filter((path) => path !== '')

describeInstalled('with chance from the seed', () => {
  let directory: string
  let compiled: ReturnType<typeof compile>
  let keys: string
  beforeAll(async () => {
    compiled = compile()
    directory = mkdtempSync(join(tmpdir(), 'tungram-test-'))
    keys = join(directory, 'keys.json')
    writeFileSync(keys, JSON.stringify(await rsaKeys()))
  })
  afterAll(() => {
    compiled.remove()
    rmSync(directory, { recursive: true })
  })

  function capture(name: string, seed: string, node = process.execPath): string {
    const { stdout, stderr } = spawnSync(node, [join(here, 'same-capture.mjs'), name, seed, keys], {
      encoding: 'utf8',
      env: { ...process.env, COMPILED: compiled.directory },
    })
    expect({ node, stderr }).toEqual({ node, stderr: '' })
    return stdout.trim()
  }

  test.each(['coap', 'dns2', 'werift'])('%s gives the same capture again, on each version of Node', (name) => {
    const first = capture(name, 'one')
    expect(first).toMatch(/^\d+ ms, \d{5,} bytes, [\da-f]{64}$/)
    for (const node of [process.execPath, ...others])
      expect({ node, got: capture(name, 'one', node) }).toEqual({ node, got: first })
    expect(capture(name, 'two')).not.toBe(first)
  })
})

/** What werift signs with: the signatures of RSA (PKCS #1) have no chance in them, those of ECDSA have. */
async function rsaKeys(): Promise<unknown> {
  const { certificate, key } = await selfSigned({
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  })
  // SHA-256 and RSA, in the numbers of TLS.
  return { certPem: certificate, keyPem: key, signatureHash: { hash: 4, signature: 1 } }
}
