/** What this host writes into the route and timestamp options of IPv4 packets, and where. */
import { MAPPED } from '../base/address.ts'
import type { Clock } from '../base/clock.ts'
import { Cast, type Packet } from '../base/packet.ts'
import type { OwnAddresses } from './addresses.ts'
import type { OptionsHost } from './ipv4-options.ts'
import type { NicList } from './routing/route-nic.ts'
import type { RouteTable } from './routing/route-table.ts'
import { selectSource } from './routing/source-selection.ts'

const DAY = 86_400_000

export class OptionEntries implements OptionsHost {
  readonly #nics: NicList
  readonly #addresses: OwnAddresses
  readonly #routes: RouteTable
  readonly #clock: Clock

  constructor(nics: NicList, addresses: OwnAddresses, routes: RouteTable, clock: Clock) {
    this.#nics = nics
    this.#addresses = addresses
    this.#routes = routes
    this.#clock = clock
  }

  recordedAddress(packet: Packet): number {
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
    if (packet.cast === Cast.Unicast && this.#addresses.isLocal(d0, d1, d2, d3)) return d3
    const route = this.#routes.lookup(s0, s1, s2, s3, 0)
    return route === null ? 0 : (selectSource(this.#nics, route, s0, s1, s2, s3)?.w3 ?? 0)
  }

  isPrespecified(word: number): boolean {
    const addresses = this.#addresses
    return addresses.isLocal(0, 0, MAPPED, word) || addresses.isBroadcast4(word) || word === 0 || word >>> 28 === 0xe
  }

  isOwnStop(word: number): boolean {
    return word >>> 24 !== 127 && this.#addresses.isLocal(0, 0, MAPPED, word)
  }

  timeOfDay(): number {
    return Math.floor(this.#clock.wallTime()) % DAY
  }
}
