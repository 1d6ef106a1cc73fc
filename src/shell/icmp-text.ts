/** ICMP errors as ping and traceroute show them. */
import { type IcmpError, isTooBig } from '../ip/icmp/icmp-error.ts'

const TEXTS4: Record<string, string> = {
  '3.0': 'Destination Net Unreachable',
  '3.1': 'Destination Host Unreachable',
  '3.2': 'Destination Protocol Unreachable',
  '3.3': 'Destination Port Unreachable',
  '3.5': 'Source Route Failed',
  '3.9': 'Destination Net Prohibited',
  '3.10': 'Destination Host Prohibited',
  '3.13': 'Packet filtered',
  '11.0': 'Time to live exceeded',
  '11.1': 'Frag reassembly time exceeded',
}
const TEXTS6: Record<string, string> = {
  '1.0': 'Destination unreachable: No route',
  '1.1': 'Destination unreachable: Administratively prohibited',
  '1.2': 'Destination unreachable: Beyond scope of source address',
  '1.3': 'Destination unreachable: Address unreachable',
  '1.4': 'Destination unreachable: Port unreachable',
  '3.0': 'Time exceeded: Hop limit',
  '3.1': 'Time exceeded: Defragmentation failure',
}

/** `Time to live exceeded`, `Frag needed and DF set (mtu = 1400)`, … */
export function icmpText({ family, type, code, mtu, pointer }: IcmpError): string {
  if (isTooBig(family, type, code))
    return family === 4 ? `Frag needed and DF set (mtu = ${mtu})` : `Packet too big: mtu=${mtu}`
  if (type === (family === 4 ? 12 : 4)) return `Parameter problem: pointer = ${pointer}`
  return (family === 4 ? TEXTS4 : TEXTS6)[`${type}.${code}`] ?? `ICMP type ${type} code ${code}`
}

const MARKS4: Record<number, string> = { 0: '!N', 1: '!H', 2: '!P', 5: '!S', 9: '!X', 10: '!X', 13: '!X' }
const MARKS6: Record<number, string> = { 0: '!N', 1: '!X', 2: '!S', 3: '!H' }

/**
 * traceroute's mark for an error that is not the expected one: `!H`, `!F-1400`; `''` for a port
 * unreachable and a time exceeded.
 */
export function traceMark({ family, type, code, mtu }: IcmpError): string {
  if (isTooBig(family, type, code)) return `!F-${mtu}`
  if (isTimeExceeded(family, type)) return ''
  if (type !== (family === 4 ? 3 : 1)) return `!<${type}-${code}>`
  if (code === (family === 4 ? 3 : 4)) return ''
  return (family === 4 ? MARKS4 : MARKS6)[code] ?? `!<${code}>`
}

export function isTimeExceeded(family: number, type: number): boolean {
  return type === (family === 4 ? 11 : 3)
}
