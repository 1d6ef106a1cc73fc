// An SNMP agent and its manager, over IPv4 and IPv6.
const snmp = require('net-snmp')

async function run(transport, address) {
  const agent = snmp.createAgent({ port: 1161, address, transport, disableAuthorization: true }, (error) => {
    if (error) throw error
  })
  agent.getMib().registerProvider({
    name: 'sysDescr',
    type: snmp.MibProviderType.Scalar,
    oid: '1.3.6.1.2.1.1.1',
    scalarType: snmp.ObjectType.OctetString,
    maxAccess: snmp.MaxAccess['read-only'],
  })
  agent.getMib().setScalarValue('sysDescr', `an agent on ${transport}`)
  const session = snmp.createSession(address, 'public', { port: 1161, transport, version: snmp.Version2c, retries: 0 })
  const varbinds = await new Promise((resolve, reject) =>
    session.get(['1.3.6.1.2.1.1.1.0'], (error, varbinds) => (error ? reject(error) : resolve(varbinds))),
  )
  console.log(transport, varbinds[0].value.toString())
  session.close()
  agent.close()
}

run('udp4', '10.77.0.1').then(() => run('udp6', '2001:db8:77::1'))
