/**
 * An honest client: asks for echoes of each kind, a hundred a second of each, through the kernel's
 * sockets.
 *
 * Started with a JSON argument `{four, six, seconds}`; prints `{kind: {asked, answered}}`.
 */
import dgram from 'node:dgram'

const { four, six, seconds } = JSON.parse(process.argv[2])
const PORT = 7
const EVERY_MS = 10
const PATIENCE_MS = 1000
const KINDS = [
  { name: 'IPv4', type: 'udp4', address: four, size: 64 },
  { name: 'IPv6', type: 'udp6', address: six, size: 64 },
  { name: 'IPv4 in fragments', type: 'udp4', address: four, size: 3000 },
  { name: 'IPv6 in fragments', type: 'udp6', address: six, size: 3000 },
]

for (const kind of KINDS) {
  kind.asked = 0
  kind.answered = 0
  kind.socket = dgram.createSocket(kind.type)
  kind.socket.on('message', () => kind.answered++)
  kind.socket.on('error', () => {})
}
const start = performance.now()
const asking = setInterval(() => {
  const elapsed = performance.now() - start
  if (elapsed >= seconds * 1000) {
    clearInterval(asking)
    setTimeout(() => {
      console.log(
        JSON.stringify(Object.fromEntries(KINDS.map(({ name, asked, answered }) => [name, { asked, answered }]))),
      )
      process.exit(0)
    }, PATIENCE_MS)
    return
  }
  for (const kind of KINDS)
    while (kind.asked < elapsed / EVERY_MS) {
      kind.asked++
      kind.socket.send(Buffer.alloc(kind.size, kind.asked), PORT, kind.address, () => {})
    }
}, 2)
