/** The kernel's notices of changed interfaces (rtnetlink(7), group RTMGRP_LINK). */
import { closeSync } from 'node:fs'
import { AF_NETLINK, align, HEADER, LITTLE, NETLINK_ROUTE, SOCK_CLOEXEC, SOCK_RAW, viewOf } from './netlink.ts'
import { openOwned } from './tun-descriptor.ts'
import { EAGAIN, EINTR, ENOBUFS, type Libc } from './tun-libc.ts'

const SOCK_NONBLOCK = 0o4000
/** struct sockaddr_nl: family u16, pad u16, port u32, groups u32. */
const SOCKADDR_NL = 12
const RTMGRP_LINK = 1

const RTM_NEWLINK = 16
const RTM_DELLINK = 17
/** struct ifinfomsg, whose bytes 4 to 7 are the index. */
const IFINFOMSG = 16

/** A non-blocking socket that notices of interfaces come to, or -1. */
export function openNotices(libc: Libc): number {
  let fd: number
  try {
    const open = () => libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)
    fd = openOwned(libc, 'socket', 'Changes of the interface cannot be followed', open)
  } catch {
    return -1
  }
  const address = new Uint8Array(SOCKADDR_NL)
  new Uint16Array(address.buffer)[0] = AF_NETLINK
  new Uint32Array(address.buffer)[2] = RTMGRP_LINK
  if (libc.bind(fd, address, SOCKADDR_NL) >= 0) return fd
  closeSync(fd)
  return -1
}

/**
 * Empties the socket; whether what waited, or was lost because there was too much of it, may be
 * about the interface.
 */
export function readNotices(libc: Libc, fd: number, index: number): 'nothing' | 'something' {
  let news: 'nothing' | 'something' = 'nothing'
  const buffer = noticeBuffer
  const view = viewOf(buffer)
  for (;;) {
    const received = libc.recv(fd, buffer, buffer.length, 0)
    if (received < 0) {
      const errno = libc.errno()
      if (errno === EINTR) continue
      if (errno === EAGAIN) return news
      // ENOBUFS: the kernel threw notices away.
      news = 'something'
      if (errno !== ENOBUFS) return news
      continue
    }
    for (let at = 0; at + HEADER + IFINFOMSG <= received; at += Math.max(HEADER, align(view.getUint32(at, LITTLE)))) {
      const type = view.getUint16(at + 4, LITTLE)
      if ((type === RTM_NEWLINK || type === RTM_DELLINK) && view.getInt32(at + HEADER + 4, LITTLE) === index)
        news = 'something'
    }
  }
}

const noticeBuffer = new Uint8Array(65_536)
