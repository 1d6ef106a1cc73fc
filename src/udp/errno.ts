/**
 * The error codes that UDP gives, under Linux's names. The socket API makes Error objects of them.
 */

/** What `bind`, `connect`, `send` and the group operations return; `''` for success. */
export type Errno =
  | ''
  /** A route of the kind `prohibit`, or a broadcast without permission. */
  | 'EACCES'
  /** The port is taken, or the group is joined already. */
  | 'EADDRINUSE'
  /** The address is none of the host's, or the group was not joined. */
  | 'EADDRNOTAVAIL'
  /** The address is of a family that the endpoint does not speak. */
  | 'EAFNOSUPPORT'
  /** The endpoint is closed. */
  | 'EBADF'
  /** A destination is missing, and there is no peer. */
  | 'EDESTADDRREQ'
  /** A route of the kind `unreachable`. */
  | 'EHOSTUNREACH'
  /** The operation does not go with the address, the nic or the endpoint's state. */
  | 'EINVAL'
  /** The datagram is longer than UDP, the path or the nic allows. */
  | 'EMSGSIZE'
  /** The link is down. */
  | 'ENETDOWN'
  /** No route leads to the destination. */
  | 'ENETUNREACH'
  /** The link's queue is full, or a limit of memberships or sources is reached. */
  | 'ENOBUFS'
  /** There is no such nic. */
  | 'ENODEV'

/** What an ICMP error means to a program (`icmp-errno.ts`); `''` for nothing. */
export type IcmpErrno =
  | ''
  | 'EACCES'
  | 'ECONNREFUSED'
  | 'EHOSTDOWN'
  | 'EHOSTUNREACH'
  | 'EMSGSIZE'
  | 'ENETUNREACH'
  | 'ENONET'
  | 'ENOPROTOOPT'
  | 'EOPNOTSUPP'
  | 'EPROTO'
