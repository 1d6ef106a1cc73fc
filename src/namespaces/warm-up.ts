/**
 * The first packets of a process take many times as long as later ones, until their code is
 * compiled. In simulated time that does not show; here it would be the latency of the first pings.
 * So packets are sent through networks of no further use before there is time to be kept: over
 * everything that a scenario may have, in simulated time, and between two kernels over devices.
 */
import { checksum } from '../base/checksum.ts'
import type { Network } from '../network/network.ts'
import { buildScenario } from '../network/scenario/build-scenario.ts'
import { runScenario } from '../network/scenario/flow.ts'
import { ECHO as ECHO4, HEADER } from '../wire/icmpv4.ts'
import { ECHO_REQUEST as ECHO6 } from '../wire/icmpv6.ts'
import { plugHost } from './host-device.ts'
import { Lateness } from './lateness.ts'
import { Namespace } from './namespace.ts'
import { PreciseClock } from './precise-clock.ts'
import { RawSocket } from './raw-socket.ts'

/** Datagrams there and back; more gain nothing (Node 20). */
const PACKETS = 400
/** Echo requests of one family that pass the devices, and how many milliseconds they may take. */
const PINGS = 1000
const PATIENCE = 400

/** `lineage`: how many datagrams' lives the network will remember. */
export async function warmUp(lineage: number): Promise<void> {
  const faults = { delay: 1, rate: '1Gbit' }
  await runScenario({
    hosts: { a: {}, b: {} },
    routers: { r: {} },
    links: [
      { between: ['a', 'r'], medium: 'ip', ...faults },
      { between: ['r', 'b'], medium: 'ethernet', ...faults },
    ],
    flows: ([4, 6] as const).map((family) => ({
      from: 'a',
      to: 'b',
      mode: 'echo',
      family,
      count: PACKETS,
      rate: 5000,
    })),
  })
  try {
    await pingBetweenKernels(lineage)
  } catch {
    // The run itself tells why there can be no devices.
  }
  // What is left of it is collected now (the command runs with --expose-gc), and what will stay is
  // moved where it is not looked at with each packet's garbage.
  for (let i = 0; i < 2; i++) (globalThis as { gc?: () => void }).gc?.()
}

async function pingBetweenKernels(lineage: number): Promise<void> {
  const closers: (() => void)[] = []
  try {
    const clock = new PreciseClock(new Lateness())
    closers.push(() => clock.close())
    // Code that has seen short waits alone would be compiled anew at the first long one.
    clock.schedule(10_000, () => {}).cancel()
    const network = buildScenario(
      {
        hosts: { a: {}, b: {} },
        routers: { r1: {}, r2: {} },
        links: [
          { between: ['a', 'r1'], medium: 'ip' },
          { between: ['r1', 'r2'], delay: '20us', rate: '10Gbit' },
          { between: ['r2', 'b'], medium: 'ethernet' },
        ],
      },
      { clock, lineage },
    )
    closers.push(() => network.close())
    network.updateRoutes()
    const [from] = ['a', 'b'].map((host) => {
      const namespace = Namespace.make(host)
      closers.push(() => namespace.close())
      const devices = plugHost(network, host, namespace, { clock, isOwn: true, note: () => {} })
      closers.push(() => devices.close())
      return namespace
    })
    for (const family of [4, 6] as const) await ping(network, from as Namespace, family)
  } finally {
    for (const close of closers.reverse()) close()
  }
}

/** One request after the other, each when the reply to the last one has come. */
async function ping(network: Network, from: Namespace, family: 4 | 6): Promise<void> {
  const socket = from.run(() => new RawSocket(family, network.address('b', family)))
  try {
    const request = echoRequest(family)
    const end = performance.now() + PATIENCE
    for (let count = 0; count < PINGS && performance.now() < end; count++) {
      socket.send(request)
      do await new Promise((resolve) => setImmediate(resolve))
      while (!socket.receive() && performance.now() < end)
    }
  } finally {
    socket.close()
  }
}

function echoRequest(family: 4 | 6): Uint8Array {
  const bytes = new Uint8Array(HEADER + 56)
  const view = new DataView(bytes.buffer)
  bytes[0] = family === 4 ? ECHO4 : ECHO6
  // The kernel computes that of ICMPv6.
  if (family === 4) view.setUint16(2, checksum(view, 0, bytes.length))
  return bytes
}
