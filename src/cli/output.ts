/** Words and colours for people. */
import { styleText } from 'node:util'

/** Whether a stream is a terminal that wants colours (https://no-color.org). */
export function colored(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR
}

export function style(format: Parameters<typeof styleText>[0], text: string, enabled: boolean): string {
  return enabled ? styleText(format, text, { validateStream: false }) : text
}

/** `1 datagram`, `2 datagrams`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Counts of one run: `1000 datagrams, 64000 bytes, 0.123 s, 8130/s`. */
export function amount(datagrams: number, bytes: number, seconds: number): string {
  const rate = seconds > 0 ? `, ${Math.round(datagrams / seconds)}/s` : ''
  return `${plural(datagrams, 'datagram')}, ${plural(bytes, 'byte')}, ${seconds.toFixed(3)} s${rate}`
}

/** `drops: UdpNoPort 3, IpChecksum 1`, or `no drops`. */
export function dropsText(drops: Record<string, number>): string {
  const entries = Object.entries(drops)
  return entries.length === 0 ? 'no drops' : `drops: ${entries.map(([reason, count]) => `${reason} ${count}`).join(', ')}`
}
