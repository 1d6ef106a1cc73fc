/**
 * The kernel's own chain a – r1 – r2 – b: four network namespaces, joined by veth pairs. Each
 * namespace lives as long as a `cat` that waits for the end of its input, which comes at the latest
 * when this process ends: nothing has a name, and nothing can be left behind.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { readCapture } from '../../src/link/capture/capture-reader.ts'

export type HostName = 'a' | 'r1' | 'r2' | 'b'

/** A datagram to be sent: the plan that both chains follow. */
export interface Send {
  family: 4 | 6
  /** The local port; sends of one family and port share a socket. */
  from: number
  to: string
  port: number
  size: number
  ttl?: number
}

/** A frame that passed a nic, with the milliseconds at which it did. */
export interface Frame {
  time: number
  bytes: Uint8Array
}

/** Receives UDP on port 9 and says the sizes. */
const RECEIVER = `
  const dgram = require('node:dgram')
  let bound = 0
  for (const [type, address] of [['udp4', '0.0.0.0'], ['udp6', '::']]) {
    const socket = dgram.createSocket({ type, ipv6Only: type === 'udp6', recvBufferSize: 4e6 })
    socket.on('message', ({ length }) => console.log(type + ' ' + length))
    socket.bind(9, address, () => { if (++bound === 2) console.log('ready') })
  }
  process.stdin.resume().on('end', () => process.exit())`

/**
 * Sends what it is told at its times, each datagram with its number in front, and says how each
 * send ended.
 */
const SENDER = `
  const dgram = require('node:dgram')
  const { sends, times } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
  const sockets = new Map()
  let waiting = sends.length
  const outcomes = []
  const open = async ({ family, from, ttl }) => {
    const key = family + ' ' + from
    if (sockets.has(key)) return
    const socket = dgram.createSocket({ type: 'udp' + family, ipv6Only: family === 6 })
    sockets.set(key, socket)
    await new Promise((resolve) => socket.bind(from, resolve))
    if (ttl !== undefined) socket.setTTL(ttl)
  }
  const send = (index) => {
    const { family, from, size, port, to } = sends[index]
    const payload = Buffer.alloc(size)
    if (size >= 4) payload.writeUInt32BE(index)
    sockets.get(family + ' ' + from).send(payload, port, to, (error) => {
      outcomes[index] = error ? error.code : ''
      if (--waiting > 0) return
      for (const socket of sockets.values()) socket.close()
      console.log(JSON.stringify(outcomes))
    })
  }
  const run = async () => {
    for (const each of sends) await open(each)
    const begun = performance.now()
    let next = 0
    const turn = () => {
      while (next < sends.length && performance.now() - begun >= times[next]) send(next++)
      if (next < sends.length) setTimeout(turn, Math.max(0, times[next] - (performance.now() - begun)))
    }
    turn()
  }
  run()`

/** `''`, or what is missing for {@link KernelChain}. */
export function missing(): string {
  if (process.platform !== 'linux') return 'no Linux'
  const programs = ['ip', 'tc', 'ping', 'tcpdump', 'unshare', 'nsenter'].filter(
    (name) => !['/usr/sbin/', '/usr/bin/', '/sbin/', '/bin/'].some((folder) => existsSync(folder + name)),
  )
  if (programs.length > 0) return `no ${programs.join(', ')}`
  // tcpdump sets its groups, which 'unshare -r' forbids (user_namespaces(7)).
  if (readFileSync('/proc/self/setgroups', 'utf8').trim() === 'deny')
    return "no tcpdump in a namespace of one user ('unshare -r'): run as root"
  try {
    execFileSync('unshare', ['-n', 'ip', 'link', 'add', 'type', 'veth'], { stdio: 'pipe' })
    return ''
  } catch (error) {
    return `no namespaces with veth pairs: ${String((error as { stderr?: unknown }).stderr ?? error).trim()}`
  }
}

/** Whether the kernel has the network emulator. */
export function hasNetem(): boolean {
  try {
    execFileSync('unshare', ['-n', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms'], {
      stdio: 'pipe',
    })
    return true
  } catch {
    return false
  }
}

export class KernelChain {
  readonly #hosts: Record<HostName, ChildProcess>
  readonly #programs = new Set<ChildProcess>()

  private constructor() {
    const host = () => spawn('unshare', ['-n', 'cat'], { stdio: ['pipe', 'ignore', 'ignore'] })
    this.#hosts = { a: host(), r1: host(), r2: host(), b: host() }
  }

  /** Builds it; `middle` is the MTU between the routers, the others have 1500. */
  static async make(middle: number): Promise<KernelChain> {
    const chain = new KernelChain()
    try {
      await chain.#build(middle)
    } catch (error) {
      await chain.close()
      throw error
    }
    return chain
  }

  async #build(middle: number): Promise<void> {
    const own = readlinkSync('/proc/self/ns/net')
    for (const { pid } of Object.values(this.#hosts))
      while (readlinkSync(`/proc/${pid}/ns/net`) === own) await new Promise((resolve) => setTimeout(resolve, 5))
    for (const name of ['a', 'r1', 'r2', 'b'] as const) {
      const forwards = name.startsWith('r') ? 1 : 0
      for (const [setting, value] of [
        ['ipv4/ip_forward', forwards],
        ['ipv6/conf/all/forwarding', forwards],
        ['ipv6/conf/default/accept_dad', 0],
        // Not `icmp_ratelimit`: with 0 it takes the tokens from which the errors without a route
        // are paid.
        ['ipv4/icmp_ratemask', 0],
        ['ipv6/icmp/ratelimit', 0],
      ] as const)
        this.set(name, setting, value)
      this.ip(name, 'link set lo up')
    }
    this.#cable('a', 'eth0', 'r1', 'eth0', 1500, 0)
    this.#cable('r1', 'eth1', 'r2', 'eth0', middle, 1)
    this.#cable('r2', 'eth1', 'b', 'eth0', 1500, 2)
    for (const [host, to, via] of [
      ['a', 'default', 'fd00::2'],
      ['a', 'default', '10.0.0.2'],
      ['r1', '10.0.2.0/24', '10.0.1.2'],
      ['r1', 'fd00:0:0:2::/64', 'fd00:0:0:1::2'],
      ['r2', '10.0.0.0/24', '10.0.1.1'],
      ['r2', 'fd00::/64', 'fd00:0:0:1::1'],
      ['b', 'default', '10.0.2.1'],
      ['b', 'default', 'fd00:0:0:2::1'],
    ] as const)
      this.ip(host, `${via.includes(':') ? '-6 ' : ''}route add ${to} via ${via}`)
  }

  #cable(a: HostName, aNic: string, b: HostName, bNic: string, mtu: number, subnet: number): void {
    this.ip(a, `link add ${aNic} type veth peer name ${bNic} netns ${this.#hosts[b].pid}`)
    const prefix6 = subnet === 0 ? 'fd00::' : `fd00:0:0:${subnet}::`
    for (const [host, nic, number] of [
      [a, aNic, 1],
      [b, bNic, 2],
    ] as const) {
      this.ip(host, `link set ${nic} mtu ${mtu} up`)
      this.ip(host, `addr add 10.0.${subnet}.${number}/24 dev ${nic}`)
      this.ip(host, `addr add ${prefix6}${number}/64 dev ${nic} nodad`)
    }
  }

  /** @throws {Error} with what the program said */
  run(host: HostName, ...command: string[]): string {
    return execFileSync('nsenter', ['-t', String(this.#hosts[host].pid), '-n', ...command], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
  }

  ip(host: HostName, command: string): void {
    this.run(host, 'ip', ...command.split(' '))
  }

  tc(host: HostName, command: string): void {
    this.run(host, 'tc', ...command.split(' '))
  }

  /**
   * Discards what comes to a nic with a chance, by the kernel's own random numbers: a classic BPF
   * program (`ld rand; jge; ret`).
   */
  lose(host: HostName, nic: string, chance: number): void {
    this.tc(host, `qdisc add dev ${nic} clsact`)
    const limit = Math.round(chance * 2 ** 32)
    // SKF_AD_OFF + SKF_AD_RANDOM; TC_ACT_SHOT is 2, TC_ACT_UNSPEC -1.
    const program = `4,32 0 0 4294963256,53 1 0 ${limit},6 0 0 2,6 0 0 4294967295`
    this.run(host, 'tc', ...`filter add dev ${nic} ingress bpf da bytecode`.split(' '), program)
  }

  /** Sets a value below `/proc/sys/net`. */
  set(host: HostName, name: string, value: number): void {
    this.run(host, 'sh', '-c', `echo ${value} > /proc/sys/net/${name}`)
  }

  #start(host: HostName, ...command: string[]): ChildProcess {
    const child = spawn('nsenter', ['-t', String(this.#hosts[host].pid), '-n', ...command], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.stdin?.on('error', () => {})
    this.#programs.add(child)
    child.once('close', () => this.#programs.delete(child))
    return child
  }

  /**
   * Sends from `a`, waits, and gives what passed the nics of both ends, what the program at `b`
   * got, and how the sends ended. `times` are milliseconds.
   */
  async send(sends: readonly Send[], times: readonly number[], wait: number) {
    const captures = { a: this.#start('a', ...TCPDUMP), b: this.#start('b', ...TCPDUMP) }
    const bytes = { a: collect(captures.a), b: collect(captures.b) }
    const receiver = this.#start('b', process.execPath, '-e', RECEIVER)
    const received = collect(receiver)
    await Promise.all([says(captures.a, 'listening on'), says(captures.b, 'listening on'), says(receiver, 'ready')])
    const sender = this.#start('a', process.execPath, '-e', SENDER)
    const said = collect(sender)
    sender.stdin?.end(JSON.stringify({ sends, times }))
    const [code] = (await once(sender, 'close')) as [number | null]
    if (code !== 0) throw new Error(`The sender ended with ${code}.`)
    await new Promise((resolve) => setTimeout(resolve, wait))
    const ended = [captures.a, captures.b, receiver].map((child) => once(child, 'close'))
    captures.a.kill('SIGINT')
    captures.b.kill('SIGINT')
    receiver.stdin?.end()
    await Promise.all(ended)
    const lines = String(received()).trim().split('\n')
    return {
      a: framesOf(bytes.a()),
      b: framesOf(bytes.b()),
      received: lines.filter((line) => line !== 'ready' && line !== ''),
      outcomes: JSON.parse(String(said())) as string[],
    }
  }

  async close(): Promise<void> {
    const children = [...this.#programs, ...Object.values(this.#hosts)]
    const gone = children
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      .map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(gone)
  }
}

const TCPDUMP = [
  ...['tcpdump', '-i', 'eth0', '-w', '-', '-U', '--immediate-mode', '-Z', 'root', '-B', '8192'],
  '--time-stamp-precision=nano',
]

function collect(child: ChildProcess): () => Buffer {
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks)
}

async function says(child: ChildProcess, text: string): Promise<void> {
  let said = ''
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        if (said.length > 4096) return
        said += chunk.toString('latin1')
        if (said.includes(text)) resolve()
      })
    child.once('close', () => reject(new Error(`'${text}' was not said, but '${said}'`)))
  })
}

function framesOf(capture: Uint8Array): Frame[] {
  return [...readCapture(capture)].map(({ time, bytes }) => ({ time: Number(time) / 1e6, bytes }))
}
