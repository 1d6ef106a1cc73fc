// A UPnP device is searched for by multicast.
const { Client, Server } = require('node-ssdp')

const server = new Server({ location: 'http://10.77.0.1/description.xml', suppressRootDeviceAdvertisements: true })
server.addUSN('urn:schemas-upnp-org:device:MediaServer:1')
const client = new Client()
client.once('response', (headers, status, { address }) => {
  console.log(status, headers.ST, headers.LOCATION, address)
  client.stop()
  server.stop()
})
Promise.resolve(server.start()).then(() => client.search('urn:schemas-upnp-org:device:MediaServer:1'))
