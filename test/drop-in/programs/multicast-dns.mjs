// A responder and a querier that share port 5353, over IPv4 and IPv6.
import mdns from 'multicast-dns'

for (const options of [{}, { type: 'udp6', ip: 'ff02::fb', interface: '::%mem0' }]) {
  const responder = mdns(options)
  const querier = mdns(options)
  responder.on('query', ({ questions }) => {
    if (questions.some(({ name }) => name === 'printer.local'))
      responder.respond({ answers: [{ name: 'printer.local', type: 'A', ttl: 300, data: '10.77.0.1' }] })
  })
  const answer = new Promise((resolve) => querier.on('response', ({ answers }, rinfo) => resolve([answers[0], rinfo])))
  querier.query('printer.local', 'A')
  const [{ name, data }, { family, port }] = await answer
  console.log(family, port, name, data)
  responder.destroy()
  querier.destroy()
}
