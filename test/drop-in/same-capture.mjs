// Run by hosts.test.ts on the compiled package: a program of an npm package on two hosts in simulated
// time, with the timers and the chance of the network. Prints length and SHA-256 of the capture.
// Arguments: the package, the seed, and for werift a file with its keys.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [name, seed, keys] = process.argv.slice(2)
const { Network } = await import(`${process.env.COMPILED}/network-node.js`)
const require = createRequire(import.meta.url)

const network = new Network({ seed })
const client = network.host('client')
const server = network.host('server')
network.router('router')
// werift gives up when a message of its handshake is lost.
network.connect(client, 'router', { delay: 10, ...(name === 'werift' ? {} : { loss: '10%' }) })
network.connect('router', server, { delay: 10 })
network.only()
network.installTimers({ random: true })
const hash = createHash('sha256')
let length = 0
network.capture((chunk) => {
  hash.update(chunk)
  length += chunk.length
})

const programs = {
  /** Requests one after the other, some of which are lost and sent again. */
  async coap() {
    const coap = require('coap')
    const service = server.run(() => coap.createServer((request, response) => response.end(request.url.repeat(1000))))
    server.run(() => service.listen())
    const ask = (pathname) =>
      client.run(
        () =>
          new Promise((resolve, reject) => {
            const asked = coap.request({ hostname: 'server', pathname })
            asked.on('response', (response) => resolve(`${response.payload}`))
            asked.on('error', reject)
            asked.end()
          }),
      )
    for (const path of ['/light', '/door', '/heat']) {
      const answer = await ask(path)
      if (answer !== path.repeat(1000)) throw new Error(`answered ${answer}`)
    }
    service.close()
  },

  async dns2() {
    const DNS2 = require('dns2')
    const { Packet } = DNS2
    const service = server.run(() =>
      DNS2.createServer({
        udp: true,
        handle(request, send) {
          const response = Packet.createResponseFromRequest(request)
          const [{ name }] = request.questions
          response.answers.push({ name, type: Packet.TYPE.A, class: Packet.CLASS.IN, ttl: 60, address: '192.0.2.80' })
          send(response)
        },
      }),
    )
    server.run(() => service.listen({ udp: 53 }))
    const resolve = client.run(() => DNS2.UDPClient({ dns: network.address('server'), timeout: 500 }))
    let answers = 0
    for (let i = 0; i < 20; i++)
      await client
        .run(() => resolve(`www${i}.example.org`))
        .then(
          () => answers++,
          () => {},
        )
    if (answers < 10) throw new Error(`only ${answers} of 20 answered`)
    await service.close()
  },

  async werift() {
    const { RTCPeerConnection } = require('werift')
    const settings = { iceServers: [], iceUseIpv6: true, dtls: { keys: JSON.parse(readFileSync(keys, 'utf8')) } }
    const [a, b] = [client, server].map((host) => host.run(() => new RTCPeerConnection(settings)))
    const channel = client.run(() => a.createDataChannel('talk'))
    b.onDataChannel.subscribe((remote) => remote.onMessage.subscribe((data) => remote.send(`${data}, and hello`)))
    const answer = new Promise((resolve) => channel.onMessage.subscribe(resolve))
    channel.stateChanged.subscribe((state) => state === 'open' && channel.send(Buffer.from('hello')))
    await client.run(async () => a.setLocalDescription(await a.createOffer()))
    await server.run(() => b.setRemoteDescription(a.localDescription))
    await server.run(async () => b.setLocalDescription(await b.createAnswer()))
    await client.run(() => a.setRemoteDescription(b.localDescription))
    const text = `${await answer}`
    if (text !== 'hello, and hello') throw new Error(`answered ${text}`)
    await Promise.all([client.run(() => a.close()), server.run(() => b.close())])
  },
}

await network.run(programs[name]())
const { now } = network
network.close()
console.log(`${now} ms, ${length} bytes, ${hash.digest('hex')}`)
