/**
 * Datagrams per second from socket to socket through an in-memory segment, one process, one core,
 * checksums computed and verified; node:dgram over the kernel's loopback for comparison.
 * Interleaved rounds, each measurement in a process of its own, medians. Run: npm run bench:memory
 * [-- --rounds 7] [--size 64] [--json]
 */
import { execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { parseArgs } from 'node:util'
import { Segment, Stack } from '../dist/index.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
    /** Bytes of a datagram; default 64 and 1400. */
    size: { type: 'string' },
    /** What a process of its own is to measure. */
    stack: { type: 'string' },
  },
})
// What the kernel's default receive buffer holds of 1400-byte datagrams without a loss.
const WINDOW = 64

function tungram(offload) {
  const wire = new Segment({ mtu: 1500, checksumOffload: offload })
  const a = new Stack()
  const b = new Stack()
  a.addNic(wire.link(), { addresses: ['10.0.0.1/24'] })
  b.addNic(wire.link(), { addresses: ['10.0.0.2/24'] })
  return {
    from: a.dgram,
    to: b.dgram,
    address: '10.0.0.2',
    close() {
      a.close()
      b.close()
    },
  }
}

const STACKS = {
  tungram: () => tungram(false),
  offload: () => tungram(true),
  kernel: () => ({ from: dgram, to: dgram, address: '127.0.0.1', close() {} }),
}

/** Keeps at most WINDOW datagrams on their way; resolves to datagrams per second. */
async function measure({ from, to, address, close }, size, count) {
  const receiver = to.createSocket('udp4')
  const sender = from.createSocket('udp4')
  await new Promise((resolve) => receiver.bind(0, address, resolve))
  await new Promise((resolve) => sender.bind(0, resolve))
  const { port } = receiver.address()
  const payload = Buffer.alloc(size, 7)
  const seconds = await new Promise((resolve) => {
    let sent = 0
    let received = 0
    let start = 0
    const fill = () => {
      while (sent < count && sent - received < WINDOW) {
        sent++
        sender.send(payload, port, address)
      }
    }
    receiver.on('message', () => {
      received++
      if (received === count) resolve((performance.now() - start) / 1000)
      else if (sent - received < WINDOW / 2) fill()
    })
    start = performance.now()
    fill()
  })
  receiver.close()
  sender.close()
  close()
  return count / seconds
}

if (options.stack !== undefined) {
  const make = STACKS[options.stack]
  const size = Number(options.size)
  // The first one warms the compiler up.
  await measure(make(), size, 100_000)
  console.log(await measure(make(), size, options.stack === 'kernel' ? 100_000 : 500_000))
  process.exit()
}

const alone = (stack, size) =>
  Number(
    execFileSync(process.execPath, [import.meta.filename, '--stack', stack, '--size', `${size}`], { encoding: 'utf8' }),
  )
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const rows = []
for (const size of options.size === undefined ? [64, 1400] : [Number(options.size)]) {
  const rates = { tungram: [], offload: [], kernel: [] }
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [stack, measured] of Object.entries(rates)) measured.push(alone(stack, size))
  const ratios = rates.tungram.map((rate, i) => rate / rates.kernel[i])
  rows.push({
    size,
    tungram: median(rates.tungram),
    offload: median(rates.offload),
    kernel: median(rates.kernel),
    ratio: median(ratios),
    ratios,
  })
}
if (options.json) console.log(JSON.stringify(rows))
else {
  console.log(`Node ${process.version}; medians of ${options.rounds} interleaved rounds\n`)
  console.log('| payload | tungram, segment | checksums left out | node:dgram, loopback | ratio |')
  console.log('|---|---|---|---|---|')
  const k = (rate) => `${Math.round(rate / 1000)} k/s`
  for (const row of rows)
    console.log(
      `| ${row.size} B | ${k(row.tungram)} | ${k(row.offload)} | ${k(row.kernel)} | ${row.ratio.toFixed(2)}× |`,
    )
}
