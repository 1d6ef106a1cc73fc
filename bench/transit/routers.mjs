/**
 * Two routers of a network in one process, between two TUN devices: `left` – r1 – r2 – `right`. It
 * says 'ready' when the devices are there, and their addresses are set by who started it.
 *
 *     node bench/transit/routers.mjs [--dist PATH] [--lineage N] [--offload false]
 */
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    dist: { type: 'string', default: new URL('../../dist/', import.meta.url).pathname },
    lineage: { type: 'string', default: '10000' },
    offload: { type: 'string', default: 'true' },
  },
})
const load = (file) => import(pathToFileURL(`${values.dist}/${file}`).href)
const { openTun } = await load('index.js')
const { Network } = await load('network-node.js')

const network = new Network({ clock: 'real', lineage: Number(values.lineage) })
network.router('r1')
network.router('r2')
network.connect('r1', 'r2', { subnet: '10.77.1.0/24' })
for (const [name, to, own] of [
  ['left', 'r1', '10.77.0.1/24'],
  ['right', 'r2', '10.77.2.1/24'],
]) {
  const link = openTun({ name, offload: values.offload === 'true' })
  link.ref()
  network.attach(link, { to, addresses: [own] })
}
process.stdin.resume().on('end', () => process.exit())
process.on('SIGTERM', () => process.exit())
console.log('ready')
