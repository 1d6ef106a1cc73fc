/**
 * The attacked side, in a process of its own: an echo over tungram's sockets on a TAP device, or
 * over node:dgram on the kernel's.
 *
 * Started with a JSON argument `{stack, device}` and an IPC channel; says 'ready'; answers 'start'
 * by measuring, and 'stop' with `{cpu, milliseconds, rss, delay}`: CPU in microseconds, the largest
 * resident set in bytes, the longest delay of the event loop in milliseconds.
 */
import dgram from 'node:dgram'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const { stack, device } = JSON.parse(process.argv[2])
const ECHO_PORT = 7
const UNREAD_PORT = 9

async function makeDgram() {
  if (stack === 'kernel') return { sockets: dgram, nic: device.interface }
  const { Stack, openTun } = await import('../../dist/index.js')
  const host = new Stack({ dad: false, ...device.stack })
  const link = openTun({ name: device.name, kind: 'tap', hardwareAddress: device.mac })
  host.addNic(link, { addresses: device.addresses })
  host.addRoute({ to: 'default', via: device.gateway4 })
  host.addRoute({ to: 'default', via: device.gateway6, nic: device.name })
  return { sockets: host.dgram, nic: device.name }
}

const { sockets, nic } = await makeDgram()
const ready = (socket, ...address) => new Promise((resolve) => socket.bind(...address, resolve))
for (const type of ['udp4', 'udp6']) {
  const echo = sockets.createSocket({ type, ipv6Only: type === 'udp6' })
  echo.on('message', (message, { port, address }) => echo.send(message, port, address, () => {}))
  echo.on('error', () => {})
  await ready(echo, ECHO_PORT)
  // A member of both groups, so that queries have something to ask about.
  echo.addMembership(...(type === 'udp4' ? ['239.1.1.1', '10.99.0.2'] : ['ff15::1', `::%${nic}`]))
}
await ready(sockets.createSocket('udp4'), UNREAD_PORT)

const delay = monitorEventLoopDelay({ resolution: 1 })
let cpu = null
let since = 0
let rss = 0
const watch = setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss())
}, 50)

process.on('message', (word) => {
  if (word === 'start') {
    cpu = process.cpuUsage()
    since = performance.now()
    rss = 0
    delay.reset()
    delay.enable()
    process.send('started')
    return
  }
  clearInterval(watch)
  const used = process.cpuUsage(cpu)
  process.send(
    { cpu: used.user + used.system, milliseconds: performance.now() - since, rss, delay: delay.max / 1e6 },
    () => process.exit(0),
  )
})
process.send('ready')
