/** What the demo shows, whoever the peer is: the steps, the packets as they pass, the checks. */
import { visible } from '../base/visible.ts'
import { Capture } from '../link/capture/capture.ts'
import type { CaptureFile } from '../link/capture/capture-file.ts'
import type { CapturedFrame } from '../link/capture/pcapng.ts'
import { Stack } from '../stack.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import { openCapture } from './capture.ts'
import { type Arrow, Drawing, fitted } from './demo-drawing.ts'
import { afterPatience, type Dgram, type Family, OWN, PEER, type Peer, PREFIX_LENGTH } from './demo-peer.ts'
import { describeFrame, frameLine } from './frame-text.ts'
import { colored, columns, dropsText, plural, printJson, printStyled, style } from './output.ts'
import { startRun } from './run.ts'
import { frameReader } from './watch.ts'

export interface Scene {
  readonly capture: string | undefined
  readonly json: boolean
  /** Each packet and each check. */
  readonly verbose: boolean
}

interface Check {
  readonly step: string
  readonly name: string
  readonly ok: boolean
  readonly actual: string
  readonly expected: string
}

const ECHO_PORT = 7
const CLOSED_PORT = 9
/** Expedited Forwarding (RFC 3246), as voice has it. */
const VOICE = 0xb8

/** Plays all steps. @returns the exit code: 1 when a check failed */
export async function stage(peer: Peer, scene: Scene): Promise<number> {
  const demo = new Demo(peer, scene)
  const run = startRun()
  run.ended.then(() => {
    demo.interrupted = true
  })
  try {
    return await demo.play()
  } finally {
    run.end()
    demo.close()
  }
}

/** A datagram on its way there and back. */
interface Trip {
  size: number
  /** Default 64, as both sides have it. */
  ttl?: number
  /** Of the way back. Default 0. */
  tos?: number
  /** Packets that carry it, each way. */
  packets: number
}

class Demo {
  interrupted = false
  readonly #peer: Peer
  readonly #scene: Scene
  readonly #stack: Stack
  readonly #file: CaptureFile | null
  readonly #started = performance.now()
  readonly #colors = colored(process.stdout)
  readonly #width = columns(process.stdout)
  readonly #drawing = new Drawing(this.#width)
  readonly #checks: Check[] = []
  #step = ''
  #frames = 0
  /** What the stack has sent since the last look. */
  #sent: CapturedFrame[] = []

  constructor(peer: Peer, scene: Scene) {
    this.#peer = peer
    this.#scene = scene
    this.#file = scene.capture === undefined ? null : openCapture(scene.capture)
    this.#stack = new Stack({ name: 'demo' })
    const recorded = this.#file?.capture(peer.link)
    const watched = new Capture(frameReader((frame) => this.#see(frame))).link(recorded ?? peer.link)
    this.#stack.onDrop((reason, layer, packet) => {
      watched.noteDrop(reason, layer, packet)
      recorded?.noteDrop(reason, layer, packet)
    })
    this.#stack.addNic(watched, { addresses: peer.families.map((family) => `${OWN[family]}/${PREFIX_LENGTH[family]}`) })
  }

  async play(): Promise<number> {
    const { families, name, short, wire } = this.#peer
    const all = (of: typeof OWN | typeof PEER) => families.map((family) => of[family])
    const title = `tungram: a UDP/IP stack inside this Node process talks to ${name}`
    const [first = '', ...rest] = fitted(title, this.#width)
    this.#print(first.replace('tungram', style('bold', 'tungram', this.#colors)), ...rest)
    this.#print(...fitted(visible(wire), this.#width), '')
    this.#print(this.#drawing.hosts(short, 'tungram', all(PEER), all(OWN)))

    await this.#play({ way: 'there', label: 'ping', outcome: 'answered' }, (family) => this.#ping(family))
    await this.#play({ way: 'both', label: '64 bytes there and back', outcome: 'intact' }, (family) =>
      this.#echo(family, { size: 64, packets: 1 }),
    )
    await this.#play(
      { way: 'both', label: '4000 bytes: fragments at MTU 1500', outcome: 'put together, intact' },
      (family) => this.#echo(family, { size: 4000, packets: 3 }),
    )
    await this.#play({ way: 'both', label: 'a TTL of 1', outcome: 'enough for the next host' }, (family) =>
      this.#echo(family, { size: 64, ttl: 1, packets: 1 }),
    )
    await this.#play({ way: 'both', label: 'a TOS of 0xb8 on the way back', outcome: 'arrived' }, (family) =>
      this.#echo(family, { size: 64, tos: VOICE, packets: 1 }),
    )
    await this.#play({ way: 'both', label: 'to a closed port, each way', outcome: 'refused by ICMP' }, (family) =>
      this.#refuse(family),
    )
    return this.#sum()
  }

  close(): void {
    this.#stack.close()
    this.#peer.close()
    this.#file?.close()
  }

  /** A step in both families: one arrow, and under it what failed; with -v all of it. */
  async #play(arrow: Arrow, act: (family: Family) => Promise<void>): Promise<void> {
    if (this.interrupted) return
    this.#step = arrow.label
    const before = this.#checks.length
    if (this.#scene.verbose) this.#print('', style('bold', arrow.label, this.#colors))
    for (const family of this.#peer.families) if (!this.interrupted) await act(family)
    const checks = this.#checks.slice(before)
    const failed = checks.filter(({ ok }) => !ok)
    if (this.#scene.verbose) return
    if (checks.length === 0) this.#print(this.#drawing.arrow({ ...arrow, outcome: 'not tried' }, '-'))
    else {
      const outcome = failed.length === 0 ? arrow.outcome : 'NOT as it should'
      this.#print(this.#drawing.arrow({ ...arrow, outcome }, mark(failed.length === 0, this.#colors)))
    }
    for (const check of failed) this.#print(checkText(check, this.#colors))
  }

  async #ping(family: Family): Promise<void> {
    const outcome = await this.#peer.ping(family, 56)
    if (outcome === null) this.#detail(`  - IPv${family}: not tried, the program 'ping' is not installed`)
    else this.#check(`IPv${family}: ping ${OWN[family]}`, outcome, 'answered')
  }

  async #echo(family: Family, { size, ttl = 64, tos = 0, packets }: Trip): Promise<void> {
    const type = family === 4 ? 'udp4' : 'udp6'
    const payload = Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + size) & 255))
    const arrived = (message: Buffer) => `${message.length} bytes ${message.equals(payload) ? 'intact' : 'DAMAGED'}`
    const told = (ttl = 0, tos = 0, packets = 0) =>
      `TTL ${ttl}, TOS 0x${tos.toString(16).padStart(2, '0')}, ${plural(packets, 'packet')}`
    const server = this.#stack.dgram.createSocket(type)
    const client = this.#peer.dgram.createSocket(type)
    try {
      let there = 'nothing'
      server.on('message', (message, rinfo) => {
        there = `${arrived(message)}, ${told(rinfo.ttl, rinfo.tos, rinfo.fragments)}`
        if (rinfo.port !== 0) server.send(message, rinfo.port, rinfo.address)
      })
      server.setRecvInfo(true)
      await bind(server, ECHO_PORT, OWN[family])
      server.setTTL(ttl)
      server.setTOS(tos)
      await bind(client, 0, PEER[family])
      client.setTTL(ttl)
      this.#sent = []
      const answer = next<Buffer>(client, 'message')
      client.send(payload, ECHO_PORT, OWN[family])
      const message = await answer
      // The kernel's socket does not tell TTL and TOS: they are read from the wire.
      const wire = this.#sent.map(readHeader)
      const seen = told(wire[0]?.ttl, wire[0]?.tos, wire.length)
      const back = message === null ? 'nothing' : `${arrived(message)}, ${seen}`
      this.#check(`IPv${family}: the stack received`, there, `${arrived(payload)}, ${told(ttl, 0, packets)}`)
      this.#check(
        `IPv${family}: the ${this.#peer.short} got back`,
        back,
        `${arrived(payload)}, ${told(ttl, tos, packets)}`,
      )
    } finally {
      client.close()
      server.close()
    }
  }

  async #refuse(family: Family): Promise<void> {
    const knock = async (dgram: Dgram, address: string) => {
      const socket = dgram.createSocket(family === 4 ? 'udp4' : 'udp6')
      try {
        const failed = next<NodeJS.ErrnoException>(socket, 'error')
        socket.connect(CLOSED_PORT, address, () => socket.send('anybody there?'))
        return (await failed)?.code ?? 'no answer'
      } finally {
        socket.close()
      }
    }
    const { short, dgram } = this.#peer
    this.#check(`IPv${family}: the ${short} sends to the stack`, await knock(dgram, OWN[family]), 'ECONNREFUSED')
    this.#check(
      `IPv${family}: the stack sends to the ${short}`,
      await knock(this.#stack.dgram, PEER[family]),
      'ECONNREFUSED',
    )
  }

  #check(name: string, actual: string, expected: string): void {
    const check = { step: this.#step, name, ok: actual === expected, actual, expected }
    this.#checks.push(check)
    this.#detail(checkText(check, this.#colors))
  }

  #see(frame: CapturedFrame): void {
    this.#frames++
    if (frame.direction === 'out') this.#sent.push(frame)
    const time = (performance.now() - this.#started).toFixed(1).padStart(8)
    const ends = [this.#peer.short, 'stack']
    const way = (frame.direction === 'out' ? ends.reverse() : ends).map((end) => end.padEnd(6)).join(' → ')
    if (!this.#scene.verbose) return
    const line = `${time} ms  ${way}  ${frameLine(frame, describeFrame(frame))}`
    // A line of a terminal for each packet; elsewhere all of it.
    const cut = process.stdout.isTTY && line.length > this.#width ? `${line.slice(0, this.#width - 1)}…` : line
    this.#print(style('dim', cut, this.#colors))
  }

  #sum(): number {
    const failed = this.#checks.filter(({ ok }) => !ok).length
    const seconds = (performance.now() - this.#started) / 1000
    const drops = Object.fromEntries(this.#stack.drops.map(({ reason, count }) => [reason, count]))
    if (this.#scene.json) {
      const { kind, wire } = this.#peer
      printJson({
        kind,
        wire,
        checks: this.#checks,
        packets: this.#frames,
        seconds,
        drops,
        interrupted: this.interrupted,
      })
    } else {
      const verdict =
        failed === 0 ? style('green', 'all passed', this.#colors) : style('red', `${failed} failed`, this.#colors)
      const packets = `${plural(this.#frames, 'packet')} in ${seconds.toFixed(1)} s; ${dropsText(drops)}`
      this.#print('', `${plural(this.#checks.length, 'check')}, ${verdict}${this.interrupted ? ', interrupted' : ''}`)
      this.#print(...fitted(packets, this.#width))
      if (this.#scene.capture !== undefined) this.#print(`the packets are in ${visible(this.#scene.capture)}`)
      const each = this.#scene.verbose ? '' : "'npx tungram demo -v' shows each packet, "
      const next = `next: ${each}'npx tungram sim --example bufferbloat' a network, 'npx tungram help' all commands`
      this.#print(...fitted(next, this.#width))
    }
    return failed === 0 ? 0 : 1
  }

  #print(...lines: readonly string[]): void {
    if (!this.#scene.json) for (const line of lines) printStyled(line)
  }

  #detail(line: string): void {
    if (this.#scene.verbose) this.#print(line)
  }
}

function checkText({ name, ok, actual, expected }: Check, colors: boolean): string {
  return `  ${mark(ok, colors)} ${name.padEnd(38)}${actual}${ok ? '' : `; expected: ${expected}`}`
}

function mark(ok: boolean, colors: boolean): string {
  return ok ? style('green', '✔', colors) : style('red', '✘', colors)
}

/** The next event's first argument; `null` when it does not come in time. */
async function next<T>(socket: NodeJS.EventEmitter, event: string): Promise<T | null> {
  return new Promise((resolve) => {
    const stop = afterPatience(() => resolve(null))
    socket.once(event, (first: T) => {
      stop()
      resolve(first)
    })
  })
}

function bind(
  socket: { bind(port: number, address: string, callback: () => void): unknown },
  port: number,
  address: string,
): Promise<void> {
  return new Promise((resolve) => socket.bind(port, address, resolve))
}

function readHeader(frame: CapturedFrame): { ttl: number; tos: number } {
  const view = new DataView(frame.bytes.buffer, frame.bytes.byteOffset)
  return ipv4.version(view, 0) === 4
    ? { ttl: ipv4.ttl(view, 0), tos: ipv4.tos(view, 0) }
    : { ttl: ipv6.hopLimit(view, 0), tos: ipv6.trafficClass(view, 0) }
}
