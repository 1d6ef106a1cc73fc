/** What a host is at the moment: `netstat` and `routes`. */
import type { Netstat } from '../stack/netstat.ts'
import type { HostCommand, Job, Terminal, Vantage } from './terminal.ts'
import { UsageError } from './usage.ts'
import { plural } from './words.ts'

export const netstat: HostCommand = {
  usage: [''],
  about: ['Shows the nics of the host, its sockets, the counters that are not zero, and what was dropped and why.'],
  options: {},
  read: (_, words, terminal) => showing(words, terminal, netstatLines),
}

export const routes: HostCommand = {
  usage: [''],
  about: ['Shows the routes of the host.'],
  options: {},
  read: (_, words, terminal) => showing(words, terminal, (stat) => stat.routes),
}

/** A job that looks, and is over. */
function showing(words: readonly string[], { print }: Terminal, lines: (stat: Netstat) => readonly string[]): Job {
  if (words.length > 0) throw new UsageError(`it takes no words, such as '${words[0]}'`)
  return {
    async begin({ stack, run }: Vantage) {
      print(...lines(stack.netstat()))
      run.end()
      return () => {}
    },
    finish: () => 0,
  }
}

function netstatLines({ nics, sockets, counters, drops }: Netstat): string[] {
  const ends = sockets.map((socket) => [
    socket.protocol,
    `${socket.receiveQueue}`,
    end(socket.localAddress, socket.localPort),
    socket.remoteAddress === null ? '*' : end(socket.remoteAddress, socket.remotePort ?? 0),
  ])
  return [
    ...nics.flatMap((nic) => [
      `${nic.name}: mtu ${nic.mtu}${nic.up ? '' : ', down'}  ${nic.addresses.join(' ')}`,
      `    received ${traffic(nic.rxPackets, nic.rxBytes)}, sent ${traffic(nic.txPackets, nic.txBytes)}`,
    ]),
    ...table([['proto', 'queue', 'local', 'remote'], ...ends]),
    ...table(Object.entries(counters).map(([name, count]) => [name, `${count}`])),
    ...drops.map(({ reason, count }) => `dropped ${count}: ${reason}`),
  ]
}

function traffic(packets: number, bytes: number): string {
  return `${plural(packets, 'packet')} (${plural(bytes, 'byte')})`
}

function end(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** Rows with their columns below each other. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, at) => Math.max(widest[at] ?? 0, cell.length)),
    [],
  )
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
