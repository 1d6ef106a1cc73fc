// A DNS server and its client, over IPv4 and IPv6.
import DNS2 from 'dns2'

for (const [type, address] of [
  ['udp4', '10.77.0.1'],
  ['udp6', '2001:db8:77::1'],
]) {
  const server = DNS2.createServer({
    udp: { type },
    handle(request, send) {
      const response = DNS2.Packet.createResponseFromRequest(request)
      const { name } = request.questions[0]
      response.answers.push({
        name,
        type: DNS2.Packet.TYPE.A,
        class: DNS2.Packet.CLASS.IN,
        ttl: 60,
        address: '192.0.2.80',
      })
      send(response)
    },
  })
  await server.listen({ udp: { port: 5333, address } })
  const resolve = DNS2.UDPClient({ dns: address, port: 5333, socketType: type })
  const { answers } = await resolve('www.example.org')
  console.log(type, answers[0].name, answers[0].address)
  await server.close()
}
