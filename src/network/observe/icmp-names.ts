/** The names of ICMP messages. */
const ICMP4_NAMES: Record<string, string> = {
  '0': 'ICMP echo reply',
  '8': 'ICMP echo request',
  '3.0': 'ICMP net unreachable',
  '3.1': 'ICMP host unreachable',
  '3.2': 'ICMP protocol unreachable',
  '3.3': 'ICMP port unreachable',
  '3.4': 'ICMP fragmentation needed',
  '3.13': 'ICMP administratively prohibited',
  '3': 'ICMP unreachable',
  '5': 'ICMP redirect',
  '11.0': 'ICMP time exceeded in transit',
  '11.1': 'ICMP reassembly time exceeded',
  '12': 'ICMP parameter problem',
}
const ICMP6_NAMES: Record<string, string> = {
  '1.0': 'ICMPv6 no route',
  '1.3': 'ICMPv6 address unreachable',
  '1.4': 'ICMPv6 port unreachable',
  '1': 'ICMPv6 unreachable',
  '2': 'ICMPv6 packet too big',
  '3.0': 'ICMPv6 hop limit exceeded',
  '3.1': 'ICMPv6 reassembly time exceeded',
  '4': 'ICMPv6 parameter problem',
  '128': 'ICMPv6 echo request',
  '129': 'ICMPv6 echo reply',
}

/** `ICMP port unreachable`, `ICMPv6 packet too big`, … */
export function icmpName(family: 4 | 6, type: number, code: number): string {
  const names = family === 4 ? ICMP4_NAMES : ICMP6_NAMES
  return names[`${type}.${code}`] ?? names[`${type}`] ?? `ICMP${family === 6 ? 'v6' : ''} type ${type} code ${code}`
}
