/** Router Advertisements sent by a router: RFC 4861 section 6.2. */
import type { Address } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { HEADROOM } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as ndp from '../../wire/ndp.ts'
import type { NicAddress } from '../nic/nic-address.ts'
import { type AdvertiseOptions, type AdvertiseSettings, readOptions } from './advertise-options.ts'
import type { NdSender } from './nd-sender.ts'

/** RFC 4861 section 10. */
const MAX_INITIAL_INTERVAL = 16_000
const MAX_INITIAL_ADVERTISEMENTS = 3
const MIN_DELAY_BETWEEN = 3000
const MAX_RESPONSE_DELAY = 500

export class RouterAdvertiser {
  readonly #sender: NdSender
  readonly #nic: { readonly addresses: readonly NicAddress[] }
  readonly #clock: Clock
  readonly #random: Random
  #settings: AdvertiseSettings | null = null
  #timer: Timer | null = null
  #next = 0
  #sent = 0
  #lastSent = Number.NEGATIVE_INFINITY

  /** `nic`: whose link-local address the advertisements come from. */
  constructor(sender: NdSender, nic: { readonly addresses: readonly NicAddress[] }, clock: Clock, random: Random) {
    this.#sender = sender
    this.#nic = nic
    this.#clock = clock
    this.#random = random
  }

  get isActive(): boolean {
    return this.#settings !== null
  }

  /** @throws {RangeError} for a value out of range; @throws {TypeError} for a malformed prefix */
  start(options: AdvertiseOptions): void {
    const settings = readOptions(options)
    this.#timer?.cancel()
    this.#settings = settings
    this.#sent = 0
    this.#schedule(this.#random.float() * MAX_RESPONSE_DELAY)
  }

  /** Tells the hosts that this is no router any more (RFC 4861 section 6.2.5). */
  stop(): void {
    if (this.#settings === null) return
    const routes = this.#settings.routes.map((each) => ({ ...each, lifetime: 0 }))
    this.#send({ ...this.#settings, lifetime: 0, routes })
    this.#timer?.cancel()
    this.#timer = null
    this.#settings = null
  }

  /** A host asks: all are answered at once, soon (section 6.2.6). */
  solicited(): void {
    const now = this.#clock.now()
    const wanted = Math.max(now + this.#random.float() * MAX_RESPONSE_DELAY, this.#lastSent + MIN_DELAY_BETWEEN)
    if (wanted >= this.#next) return
    this.#timer?.cancel()
    this.#schedule(wanted - now)
  }

  #schedule(delay: number): void {
    this.#next = this.#clock.now() + delay
    this.#timer = this.#clock.schedule(delay, () => {
      const settings = this.#settings
      if (settings === null) return
      if (this.#send(settings)) this.#sent++
      const { interval } = settings
      const drawn = interval * (1 / 3 + (2 / 3) * this.#random.float())
      this.#schedule(this.#sent < MAX_INITIAL_ADVERTISEMENTS ? Math.min(drawn, MAX_INITIAL_INTERVAL) : drawn)
    })
  }

  /** Nothing is sent before the nic has a link-local address. */
  #send(settings: AdvertiseSettings): boolean {
    const source = this.#linkLocal()
    if (source === undefined) return false
    const { view } = this.#sender.begin(true)
    let end = ndp.encodeRouter(view, HEADROOM, settings)
    end = this.#sender.encodeOwnAddress(view, end, ndp.SOURCE_LINK_ADDRESS)
    if (settings.mtu !== 0) end = ndp.encodeMtu(view, end, settings.mtu)
    for (const { prefix, flags, valid, preferred } of settings.prefixes)
      end = ndp.encodePrefix(view, end, prefix.address, prefix.length, flags, valid, preferred)
    for (const { prefix, preference, lifetime } of settings.routes)
      end = ndp.encodeRoute(view, end, prefix, preference, lifetime)
    this.#sender.sendTo(ndp.ROUTER_ADVERTISEMENT, end, source, ndp.ALL_NODES)
    this.#lastSent = this.#clock.now()
    return true
  }

  #linkLocal(): Address | undefined {
    return this.#nic.addresses.find(({ address }) => address.family === 6 && address.isLinkLocal)?.address
  }
}
