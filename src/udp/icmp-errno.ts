/** What an ICMP error means to a program: Linux's icmp_err_convert and icmpv6_err_convert. */
import { isTooBig } from '../ip/icmp/icmp-error.ts'
import { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import * as icmpv4 from '../wire/icmpv4.ts'
import * as icmpv6 from '../wire/icmpv6.ts'
import type { IcmpErrno } from './errno.ts'

/** `hard`: a connected socket hears of it unasked. */
export interface Reported {
  readonly errno: IcmpErrno
  readonly hard: boolean
}

const soft = (errno: IcmpErrno): Reported => ({ errno, hard: false })
const hard = (errno: IcmpErrno): Reported => ({ errno, hard: true })

/** Destination Unreachable by code: RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1. */
const UNREACHABLE4 = [
  /* 0 net */ soft('ENETUNREACH'),
  /* 1 host */ soft('EHOSTUNREACH'),
  /* 2 protocol */ hard('ENOPROTOOPT'),
  /* 3 port */ hard('ECONNREFUSED'),
  /* 4 fragmentation needed */ hard('EMSGSIZE'),
  /* 5 source route failed */ soft('EOPNOTSUPP'),
  /* 6 net unknown */ hard('ENETUNREACH'),
  /* 7 host unknown */ hard('EHOSTDOWN'),
  /* 8 source host isolated */ hard('ENONET'),
  /* 9 net prohibited */ hard('ENETUNREACH'),
  /* 10 host prohibited */ hard('EHOSTUNREACH'),
  /* 11 net, for this TOS */ soft('ENETUNREACH'),
  /* 12 host, for this TOS */ soft('EHOSTUNREACH'),
  /* 13 prohibited by a filter */ hard('EHOSTUNREACH'),
  /* 14 precedence violation */ hard('EHOSTUNREACH'),
  /* 15 precedence cutoff */ hard('EHOSTUNREACH'),
]
/** The same of ICMPv6: RFC 4443 section 3.1. */
const UNREACHABLE6 = [
  /* 0 no route */ soft('ENETUNREACH'),
  /* 1 prohibited */ hard('EACCES'),
  /* 2 beyond the source's scope */ soft('EHOSTUNREACH'),
  /* 3 address */ soft('EHOSTUNREACH'),
  /* 4 port */ hard('ECONNREFUSED'),
  /* 5 source address failed policy */ hard('EACCES'),
  /* 6 reject route */ hard('EACCES'),
]
const SILENT = soft('')
const PROTOCOL = hard('EPROTO')
const TOO_BIG = hard('EMSGSIZE')
const HOST_UNREACHABLE = soft('EHOSTUNREACH')

/** `mode`: who fragments freely is not told that a packet was too big. */
export function icmpErrno(family: 4 | 6, type: number, code: number, mode: PmtuMode): Reported {
  if (isTooBig(family, type, code)) return mode === PmtuMode.Dont ? SILENT : TOO_BIG
  if (family === 4) {
    if (type === icmpv4.PARAMETER_PROBLEM) return PROTOCOL
    if (type === icmpv4.TIME_EXCEEDED) return HOST_UNREACHABLE
    return UNREACHABLE4[code] ?? SILENT
  }
  if (type === icmpv6.TIME_EXCEEDED) return HOST_UNREACHABLE
  return type === icmpv6.DESTINATION_UNREACHABLE ? (UNREACHABLE6[code] ?? PROTOCOL) : PROTOCOL
}
