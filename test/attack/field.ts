/**
 * A victim, an honest client and a flood on one Ethernet in memory, in virtual time. The test
 * carries the frames itself, so that the work for the flood can be told from everything else.
 */
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { NO_OFFLOAD } from '../../src/link/link.ts'
import { Stack, type StackOptions } from '../../src/stack.ts'
import { open, send, TestLink } from '../host.ts'
import {
  arpOperation,
  arpTarget,
  etherType,
  icmpBody,
  icmpType,
  inFrame,
  isArp,
  isIcmp,
  sourceBytes,
} from '../packet.ts'
import {
  ATTACKER,
  advertisementOf,
  arpAnswer,
  ECHO_PORT,
  type Flood,
  GROUP4,
  GROUP6,
  HONEST,
  type Station,
  UNREAD_PORT,
  VICTIM,
  words,
} from './floods.mjs'

const SOLICITATION = 135

/** The client asks for an echo of each kind every so many milliseconds. */
const ASK_EVERY = 10
const RATE = 20_000
/** More than the MTU: it goes and comes in fragments. */
const LONG = 3000
const SHORT = 64

const KINDS = ['IPv4', 'IPv6', 'IPv4 in fragments', 'IPv6 in fragments'] as const
export type Kind = (typeof KINDS)[number]

const text = (bytes: Uint8Array) => Address.fromBytes(bytes).toString()

/** What the victim did for one part of a run. */
export interface Result {
  /** Asked and answered, of each kind. */
  readonly asked: Record<Kind, number>
  readonly answered: Record<Kind, number>
  /** Frames of the flood. */
  readonly frames: number
  /** CPU time of the victim's `input` and `idle` for the flood's frames, microseconds a frame. */
  readonly cpu: number
  /**
   * What a millisecond's worth of frames took, in milliseconds of CPU, in the worst of 200 cases:
   * garbage that is collected falls into fewer.
   */
  readonly worst: number
}

export class Field {
  readonly clock = new ManualClock()
  readonly victim: Stack
  readonly #client: Stack
  readonly #victimLink: TestLink
  readonly #clientLink: TestLink
  readonly #answers = new Map<number, Kind>()
  #answered: Record<Kind, number> = none()
  #number = 0
  readonly #ask: (kind: Kind) => void

  constructor(options: StackOptions = {}) {
    const { clock } = this
    this.#victimLink = new TestLink('victim', 1500, NO_OFFLOAD, VICTIM.mac)
    this.#clientLink = new TestLink('client', 1500, NO_OFFLOAD, HONEST.mac)
    this.victim = this.#host('victim', this.#victimLink, VICTIM, options)
    this.#client = this.#host('client', this.#clientLink, HONEST, {})
    this.#serve(4)
    this.#serve(6)
    const unread = open(this.victim, 4, UNREAD_PORT)
    unread.mailbox.hold = true
    const ask4 = this.#asker(4)
    const ask6 = this.#asker(6)
    this.#ask = (kind) => (kind.startsWith('IPv4') ? ask4 : ask6)(kind)
    // Addresses and groups are settled before anything is measured.
    for (let i = 0; i < 5000; i++) this.#millisecond()
    this.#answered = none()
    clock.advance(0)
  }

  #host(name: string, link: TestLink, station: Station, options: StackOptions): Stack {
    const stack = new Stack({ name, clock: this.clock, random: new SeededRandom(name), dad: false, ...options })
    const addresses = [`${text(station.four)}/16`, `${text(station.six)}/64`, `${text(station.local)}/64`]
    stack.addNic(link, { addresses })
    // Strangers behind a router: the attacker passes as one.
    stack.addRoute({ to: 'default', via: '10.99.0.66' })
    stack.addRoute({ to: 'default', via: 'fe80::66', nic: name })
    return stack
  }

  /** The echo; it is a member of both groups. */
  #serve(family: 4 | 6): void {
    const { endpoint, mailbox } = open(this.victim, family, ECHO_PORT, family === 4 ? '0.0.0.0' : '::', (each) => {
      if (family === 6) each.ipv6Only = true
    })
    endpoint.groups.join(Address.fromBytes(family === 4 ? GROUP4 : GROUP6), 2)
    mailbox.flush = () => {
      for (const { payload, from, port } of mailbox.received.splice(0)) send(endpoint, payload, from, port)
    }
  }

  #asker(family: 4 | 6): (kind: Kind) => void {
    const { endpoint, mailbox } = open(this.#client, family)
    mailbox.flush = () => {
      for (const { payload } of mailbox.received.splice(0)) {
        const number = new DataView(payload.buffer, payload.byteOffset).getUint32(0)
        const kind = this.#answers.get(number)
        // Whole and as it was sent.
        const right = payload.every((byte, at) => at < 4 || byte === ((number + at) & 255))
        if (kind === undefined || !right) continue
        this.#answers.delete(number)
        this.#answered[kind]++
      }
    }
    return (kind) => {
      const number = ++this.#number
      const payload = Uint8Array.from(
        { length: kind.endsWith('fragments') ? LONG : SHORT },
        (_, at) => (number + at) & 255,
      )
      new DataView(payload.buffer).setUint32(0, number)
      this.#answers.set(number, kind)
      send(endpoint, payload, text(family === 4 ? VICTIM.four : VICTIM.six), ECHO_PORT)
    }
  }

  /** The attacker is there: it answers for its addresses, so that answers to it leave. */
  #attacker(frames: readonly Uint8Array[]): Uint8Array[] {
    const answers: Uint8Array[] = []
    for (const frame of frames) {
      const packet = inFrame(frame)
      if (isArp(frame) && arpOperation(frame) === 1 && same(arpTarget(frame), ATTACKER.four)) answers.push(arpAnswer())
      if (etherType(frame) === 0x86dd && isIcmp(packet) && icmpType(packet) === SOLICITATION)
        for (const address of [ATTACKER.six, ATTACKER.local])
          if (same(icmpBody(packet), address)) answers.push(advertisementOf(address, sourceBytes(packet).slice()))
    }
    return answers
  }

  /** Carries what both hosts have to say to each other, and lets a millisecond pass. */
  #millisecond(): void {
    this.clock.advance(1)
    for (let rounds = 0; rounds < 4; rounds++) {
      const all = this.#victimLink.take()
      const out = all.filter((frame) => forStation(frame, HONEST.mac))
      const answers = this.#attacker(all)
      if (answers.length > 0) this.#victimLink.receive(...answers)
      const back = this.#clientLink.take().filter((frame) => forStation(frame, VICTIM.mac))
      if (out.length > 0) this.#clientLink.receive(...out)
      if (back.length > 0) this.#victimLink.receive(...back)
    }
  }

  /**
   * Honest traffic for so many milliseconds, with a flood or without, and a quarter of a second
   * more for the last answers.
   */
  run(milliseconds: number, flood: Flood | null, seed = 1): Result {
    const random = words(seed)
    const rate = RATE / 1000
    const asked = none()
    this.#answered = none()
    this.#answers.clear()
    let frames = 0
    let total = 0
    const used: number[] = []
    for (let t = 0; t < milliseconds; t++) {
      if (t % ASK_EVERY === 0)
        for (const kind of KINDS) {
          asked[kind]++
          this.#ask(kind)
        }
      if (flood !== null) {
        const burst: Uint8Array[] = []
        for (let i = 0; i < rate; i++) burst.push(flood.make(frames++, random))
        const before = process.cpuUsage()
        this.#victimLink.receive(...burst)
        const { user, system } = process.cpuUsage(before)
        total += user + system
        used.push((user + system) / 1000)
      }
      this.#millisecond()
    }
    for (let t = 0; t < 250; t++) this.#millisecond()
    const worst = used.sort((a, b) => b - a)[Math.floor(used.length / 200)] ?? 0
    return { asked, answered: this.#answered, frames, cpu: total / Math.max(1, frames), worst }
  }

  close(): void {
    this.victim.close()
    this.#client.close()
  }
}

const none = (): Record<Kind, number> => ({ IPv4: 0, IPv6: 0, 'IPv4 in fragments': 0, 'IPv6 in fragments': 0 })

/** Whether bytes begin with an address. */
const same = (bytes: Uint8Array, address: Uint8Array) => address.every((byte, at) => byte === bytes[at])

/** Whether a frame is for a station or for several. */
function forStation(frame: Uint8Array, mac: Uint8Array): boolean {
  if (((frame[0] as number) & 1) === 1) return true
  for (let i = 0; i < 6; i++) if (frame[i] !== mac[i]) return false
  return true
}

/** The smallest share of the kinds, 0 to 1. */
export function share({ asked, answered }: Result): number {
  return Math.min(...KINDS.map((kind) => answered[kind] / asked[kind]))
}
