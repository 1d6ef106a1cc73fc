// A CoAP server and its client over IPv4 and IPv6, and one that is asked by multicast.
import coap from 'coap'

const ask = (request) =>
  new Promise((resolve, reject) => {
    const asked = coap.request(request)
    asked.on('response', (response) => resolve(response.payload.toString()))
    asked.on('error', reject)
    asked.end()
  })
const listen = (server, ...args) => new Promise((resolve) => server.listen(...args, resolve))

for (const [type, hostname] of [
  ['udp4', '10.77.0.1'],
  ['udp6', '2001:db8:77::1'],
]) {
  const server = coap.createServer({ type }, (request, response) => response.end(request.url.repeat(1000)))
  await listen(server)
  // Block-wise: the answer is longer than a datagram of CoAP.
  const answer = await ask({ hostname, pathname: '/light' })
  console.log(type, answer.length, answer.slice(0, 6))
  server.close()
}

const group = coap.createServer({ multicastAddress: '224.0.1.187' }, (_request, response) => response.end('here'))
await listen(group)
console.log(
  'multicast',
  await ask({ hostname: '224.0.1.187', multicast: true, multicastTimeout: 500, confirmable: false }),
)
group.close()
