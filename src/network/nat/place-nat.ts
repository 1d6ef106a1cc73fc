/** Finds the place of a NAT in a network, and puts it on the ports of its router. */
import type { SeededRandom } from '../../base/random.ts'
import type { Cable } from '../nodes/cable.ts'
import type { StackNode } from '../nodes/node.ts'
import type { Port } from '../nodes/port.ts'
import type { Lineage } from '../observe/lineage.ts'
import type { NatSettings } from '../settings.ts'
import { milliseconds } from '../time/duration.ts'
import { Nat } from './nat.ts'

/**
 * @throws {Error} when the node is no router, has a NAT already, or has no such cable, or no IPv4
 * address on it
 */
export function placeNat(
  router: StackNode,
  settings: NatSettings,
  cables: readonly Cable[],
  random: SeededRandom,
  lineage: Lineage,
): Nat {
  const { outside, timeout: _u, tcpTimeout: _e, tcpOpeningTimeout: _o, tcpClosingTimeout: _c, ...options } = settings
  const { name } = router
  if (!router.forwards) throw new Error(`${name} is no router, and has nothing to translate.`)
  if (router.nat !== null) throw new Error(`${name} has a NAT already.`)
  const end = cables
    .filter(({ name: cable, ends }) => cable === outside || ends.some(({ node }) => node === outside))
    .flatMap(({ ends }) => ends.filter(({ node }) => node === name))[0]
  if (end === undefined) throw new Error(`${name} has no cable to, or named, ${outside}.`)
  const address = end.nic?.addresses.find((each) => each.address.family === 4)?.address
  if (address === undefined) throw new Error(`${name} has no IPv4 address on the cable outside.`)
  const nat = new Nat(router.stack, end.port as Port, address, random.fork(`nat ${name}`), lineage, {
    ...options,
    ...inMilliseconds(settings),
  })
  router.nat = nat
  for (const port of router.ports) port.hook = nat
  return nat
}

const TIMEOUTS = ['timeout', 'tcpTimeout', 'tcpOpeningTimeout', 'tcpClosingTimeout'] as const

/** The timeouts that are given. */
function inMilliseconds(settings: NatSettings): Partial<Record<(typeof TIMEOUTS)[number], number>> {
  return Object.fromEntries(
    TIMEOUTS.flatMap((name) => {
      const value = settings[name]
      return value === undefined ? [] : [[name, milliseconds(value)]]
    }),
  )
}
