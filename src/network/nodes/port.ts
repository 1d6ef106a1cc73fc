/**
 * Where a node is plugged into a wire: the link that a stack's nic, or a switch, holds. Everything
 * that a network adds to a link has its place here: the cable's faults, lineage, captures, filters,
 * NAT, and whether the cable is plugged in.
 */
import type { Clock } from '../../base/clock.ts'
import { Drop, dropLayer, dropName } from '../../base/drop.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import type { Capture, OpenRecord } from '../../link/capture/capture.ts'
import { completeChecksum } from '../../link/checksum-offload.ts'
import { ImpairedLink } from '../../link/impairment/impairment.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../../link/link.ts'
import { plainProtocol } from '../../link/segmenter.ts'
import type { Stack } from '../../stack.ts'
import { TCP } from '../../wire/protocol.ts'
import type { Lineage } from '../observe/lineage.ts'

/** What all ports of a network share. */
export interface PortContext {
  readonly clock: Clock
  readonly lineage: Lineage
  /** Sockets were told of something: programs have to run before time goes on. */
  programsRan(): void
}

/** Whether a frame may pass; the packet is lent. */
export type Gate = (packet: Packet, medium: Medium) => boolean

/** Who holds the port. */
export interface PortOwner {
  readonly name: string
  /** `null` in a switch. */
  readonly stack: Stack | null
  outputGate: Gate | null
  inputGate: Gate | null
  /** Messages that sockets had got when programs last had their turn. */
  seen: number
  /** A port tells of the drop that the stack is just counting. */
  portReports: boolean
  /** The port whose frame the stack is just taking in. */
  receiving: Port | null
}

/**
 * Stands between a nic and its wire and may rewrite, hold back or discard what passes. The packet
 * is lent, and `next` takes it at once.
 */
export interface PacketHook {
  output(packet: Packet, port: Port, next: (packet: Packet) => Drop): Drop
  input(packet: Packet, port: Port, next: (packet: Packet) => void): void
}

/** What is in the place of the owner's stack. */
export interface Outside {
  /** Takes a frame, which is lent, or says why not. */
  deliver(packet: Packet): Drop
  /** Whether it may be given this merged packet as it is (`LinkReceiver.takesMerged`). */
  takesMerged?(packet: Packet): boolean
  /** After each run of frames. */
  idle(): void
  /** The cable was plugged in or pulled. */
  carrier?(isUp: boolean): void
}

/** A frame's record in one of the captures. */
interface Passing {
  readonly capture: Capture
  readonly record: OpenRecord
  /** Of the frame's datagram; 0 for none. */
  readonly trace: number
}

/** One for all ports: nearly none is captured. */
const NONE: readonly never[] = []

export class Port implements Link, LinkReceiver {
  readonly loopback = false
  readonly owner: PortOwner
  /** The nic's name. */
  readonly name: string
  /** The cable and its faults. */
  readonly wire: ImpairedLink
  hook: PacketHook | null = null
  /** What this port discarded, by reason. */
  readonly drops = new Map<Drop, number>()
  readonly #context: PortContext
  #isUp = true
  #receiver: LinkReceiver | null = null
  #outside: Outside | null = null
  #captures: readonly { readonly capture: Capture; readonly index: number }[] = NONE
  /** Records of the frame that is passing: what is said of it now is their comment. */
  #records: readonly Passing[] = NONE
  readonly #transmit = (packet: Packet) => this.#leave(packet)
  readonly #receive = (packet: Packet) => this.#deliver(packet)

  constructor(context: PortContext, owner: PortOwner, name: string, inner: Link, random: Random) {
    this.#context = context
    this.owner = owner
    this.name = name
    const { lineage } = context
    this.wire = new ImpairedLink(inner, {
      clock: context.clock,
      random,
      flowOf: (packet) => lineage.listener?.labelOf(packet.trace) ?? '',
      observe: (what, packet, value) => lineage.note(owner.name, name, packet.trace, what, value),
    })
  }

  /** A merged packet passes where nobody looks at its segments one by one. */
  get offload(): Offload {
    return this.#passesMerged && this.owner.outputGate === null ? this.wire.offload : NO_OFFLOAD
  }

  get #passesMerged(): boolean {
    return this.hook === null && this.#captures.length === 0 && this.#isUp
  }

  /** Whether the cable is plugged in. */
  get isUp(): boolean {
    return this.#isUp
  }

  set isUp(isUp: boolean) {
    this.#isUp = isUp
    this.#outside?.carrier?.(isUp)
  }

  get medium(): Medium {
    return this.wire.medium
  }

  get mtu(): number {
    return this.wire.mtu
  }

  get hardwareAddress(): Uint8Array | null {
    return this.wire.hardwareAddress
  }

  attach(receiver: LinkReceiver): void {
    this.wire.attach(this)
    this.#receiver = receiver
  }

  /**
   * Puts a host that is elsewhere (behind a device) in the place of the owner's stack: what arrives
   * goes to it, and the stack, which keeps its addresses and routes, is heard no more.
   * @returns how its frames leave; what cannot leave is counted here
   */
  divert(outside: Outside): (packet: Packet) => void {
    this.#outside = outside
    return (packet) => {
      // A device's kernel may have left it to the device.
      if (packet.checksumState === ChecksumState.Partial && packet.segmentLength === 0) completeChecksum(packet)
      const drop = this.#isUp ? this.#leave(packet) : Drop.LinkDown
      if (drop !== Drop.None) this.dropped(drop, packet)
    }
  }

  /** Whether a host that is elsewhere may send this merged packet as it is. */
  leavesMerged(packet: Packet): boolean {
    if (this.offload.merged !== true || packet.segmentLength > this.mtu) return false
    return !this.#context.lineage.on || plainProtocol(packet) === TCP
  }

  /** Writes what passes from now on to `capture`, as an interface `host.eth0`. */
  startCapture(capture: Capture): void {
    const index = capture.addInterface(`${this.owner.name}.${this.name}`, this.medium, this.hardwareAddress)
    this.#captures = [...this.#captures, { capture, index }]
  }

  stopCapture(capture: Capture): void {
    this.#captures = this.#captures.filter((each) => each.capture !== capture)
  }

  // ── down ──

  send(packet: Packet): Drop {
    if (!this.#isUp) return Drop.LinkDown
    if (this.#outside !== null) return Drop.None
    return this.hook === null ? this.#leave(packet) : this.hook.output(packet, this, this.#transmit)
  }

  #leave(packet: Packet): Drop {
    const { lineage } = this.#context
    if (lineage.on) lineage.leaving(this.owner.name, this.name, packet, this.medium)
    const records = this.#open('out', packet)
    try {
      const { outputGate } = this.owner
      if (outputGate !== null && !outputGate(packet, this.medium)) {
        this.dropped(Drop.WireFiltered, packet)
        return Drop.None
      }
      const drop = this.wire.send(packet)
      if (drop !== Drop.None) this.noteDrop(drop, packet.trace)
      return drop
    } finally {
      if (records !== null) this.#close(records)
    }
  }

  flush(): void {
    this.wire.flush()
  }

  close(): void {
    this.wire.close()
  }

  ref(): void {
    this.wire.ref()
  }

  unref(): void {
    this.wire.unref()
  }

  // ── up ──

  input(packet: Packet): void {
    const { lineage } = this.#context
    if (lineage.on) lineage.arrived(this.owner.name, this.name, packet, this.medium)
    const records = this.#open('in', packet)
    try {
      const { inputGate } = this.owner
      if (!this.#isUp) this.dropped(Drop.LinkDown, packet)
      else if (inputGate !== null && !inputGate(packet, this.medium)) this.dropped(Drop.WireFiltered, packet)
      else if (this.hook === null) this.#deliver(packet)
      else this.hook.input(packet, this, this.#receive)
    } finally {
      if (records !== null) this.#close(records)
    }
  }

  #deliver(packet: Packet): void {
    const receiver = this.#receiver as LinkReceiver
    const { lineage } = this.#context
    const { stack, name } = this.owner
    if (this.#outside !== null) {
      const drop = this.#outside.deliver(packet)
      if (drop !== Drop.None) this.dropped(drop, packet)
      else lineage.note(name, this.name, packet.trace, 'delivered')
      return
    }
    if (!lineage.on || stack === null) {
      receiver.input(packet)
      return
    }
    const { trace } = packet
    const before = messages(stack)
    lineage.beginInput(name, trace)
    this.owner.receiving = this
    try {
      receiver.input(packet)
    } finally {
      this.owner.receiving = null
      lineage.endInput()
    }
    for (let count = messages(stack) - before; count > 0; count--) lineage.note(name, this.name, trace, 'delivered')
  }

  takesMerged(packet: Packet): boolean {
    if (!this.#passesMerged || this.owner.inputGate !== null) return false
    // Each datagram has a life of its own, where lives are kept; the segments of a connection share
    // one.
    if (this.#context.lineage.on && plainProtocol(packet) !== TCP) return false
    const receiver = this.#outside ?? this.#receiver
    return receiver?.takesMerged?.(packet) === true
  }

  /** Who looks at what passes is shown all of it. */
  hears(packet: Packet): boolean {
    const looks = this.#captures.length > 0 || this.hook !== null || this.#outside !== null || !this.#isUp
    return looks || this.#receiver?.hears?.(packet) !== false
  }

  idle(): void {
    if (this.#outside !== null) {
      this.#outside.idle()
      return
    }
    this.#receiver?.idle()
    const { owner } = this
    if (owner.stack === null) return
    const seen = packets(owner.stack)
    if (seen === owner.seen) return
    owner.seen = seen
    this.#context.programsRan()
  }

  dropped(drop: Drop, packet: Packet): void {
    const { owner } = this
    this.drops.set(drop, (this.drops.get(drop) ?? 0) + 1)
    this.noteDrop(drop, packet.trace)
    this.#context.lineage.dropped(owner.name, this.name, packet, dropName(drop))
    owner.portReports = true
    try {
      this.#receiver?.dropped(drop, packet)
    } finally {
      owner.portReports = false
    }
  }

  failed(error: Error, fatal: boolean): void {
    this.#receiver?.failed(error, fatal)
  }

  changed(): void {
    this.#receiver?.changed?.()
  }

  /**
   * Adds a drop's reason to the frame that is passing, in the captures; one of another datagram
   * (that it made way for) with that one's number.
   */
  noteDrop(drop: Drop, trace: number): void {
    for (const { record, trace: own } of this.#records) {
      const which = trace === 0 || trace === own ? '' : `datagram ${trace} `
      record.comments.push(`${which}dropped: ${dropName(drop)} (${dropLayer(drop)})`)
    }
  }

  // ── captures ──

  /**
   * Begins the records of a frame; `null` when nothing captures, else those of the frame around it.
   */
  #open(direction: 'in' | 'out', packet: Packet): readonly Passing[] | null {
    if (this.#captures.length === 0) return null
    const outer = this.#records
    this.#records = this.#captures.map(({ capture, index }) => {
      const record = capture.open(index, direction, packet.bytes, packet.start, packet.end)
      if (packet.trace !== 0) record.comments.push(`datagram ${packet.trace}`)
      return { capture, record, trace: packet.trace }
    })
    return outer
  }

  /** Ends the records that `#open` began, and goes back to those before. */
  #close(outer: readonly Passing[]): void {
    const passing = this.#records
    this.#records = outer
    for (const { capture, record } of passing) capture.close(record)
  }
}

/** What was delivered: datagrams and messages of ICMP. */
function messages({ counters }: Stack): number {
  const { four, six } = counters
  return four.UdpInDatagrams + six.UdpInDatagrams + four.IcmpInMsgs + six.IcmpInMsgs
}

/** What may have woken a program: a raw endpoint hears of any protocol. */
function packets({ counters }: Stack): number {
  return counters.four.IpInDelivers + counters.six.IpInDelivers
}
