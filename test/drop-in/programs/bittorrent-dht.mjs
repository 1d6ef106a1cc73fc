// Eight nodes of a distributed hash table: what one stores another finds.
import DHT from 'bittorrent-dht'

const nodes = []
for (let i = 0; i < 8; i++) {
  const bootstrap = i === 0 ? false : [`10.77.0.1:${nodes[0].address().port}`]
  const node = new DHT({ bootstrap, verify: null })
  await new Promise((resolve) => node.listen(0, resolve))
  if (!node.ready) await new Promise((resolve) => node.once('ready', resolve))
  nodes.push(node)
}
const hash = await new Promise((resolve, reject) =>
  nodes[2].put({ v: Buffer.from('kept') }, (error, hash) => (error ? reject(error) : resolve(hash))),
)
const found = await new Promise((resolve, reject) =>
  nodes[7].get(hash, (error, value) => (error ? reject(error) : resolve(value))),
)
console.log('value', found.v.toString())

const infoHash = Buffer.alloc(20, 7)
await new Promise((resolve, reject) =>
  nodes[3].announce(infoHash, 6881, (error) => (error ? reject(error) : resolve())),
)
const peer = new Promise((resolve) => nodes[6].once('peer', resolve))
nodes[6].lookup(infoHash)
const { host, port } = await peer
console.log('peer', host, port)
for (const node of nodes) node.destroy()
