/**
 * Where the stack and Linux differ in what a bound address may reach, and may: each with its
 * reason.
 */
import type { Trial } from './bound-world.ts'

export interface BoundListed {
  readonly what: string
  readonly why: string
  /** The last steps of both hosts, which follow equal ones. */
  explains(trial: Trial, kernel: string, stack: string): boolean
}

const LOOPBACK4 = /^(::ffff:)?127\./
const LOOPBACK6 = /^::1(%|$)/
const isRefused = (step: string) => step.includes('EINVAL')

export const boundListed: readonly BoundListed[] = [
  {
    what: 'a source that is no address of the host',
    why: 'EINVAL, as Linux has it for IPv6 and had it for IPv4 before 6.18; since then ENETUNREACH for IPv4',
    explains: (_, kernel, stack) => kernel.includes('ENETUNREACH') && isRefused(stack),
  },
  {
    what: 'a datagram from ::1 to another host or a group',
    why:
      'RFC 4291 2.5.3: ::1 never leaves the host. Linux lets it go, and the receiver discards it; the stack ' +
      'says EINVAL, as both do for 127.0.0.1',
    explains: ({ bound = '', source = '' }, kernel, stack) =>
      (LOOPBACK6.test(bound) || LOOPBACK6.test(source)) && isRefused(stack) && !/ E[A-Z]+/.test(kernel),
  },
  {
    what: 'a datagram to a loopback address by another interface',
    why:
      'RFC 1122 3.2.1.3 (g), RFC 4291 2.5.3: it never leaves the host. Linux takes the interface, or the ' +
      'zone, at its word; the stack says EINVAL',
    explains: ({ to, bound = '', source = '', interface: nic = '' }, kernel, stack) =>
      (nic !== '' || bound.includes('%') || source.includes('%')) &&
      (LOOPBACK4.test(to) || LOOPBACK6.test(to) || to.startsWith('::%') || to === '::') &&
      isRefused(stack) &&
      !/ E[A-Z]+/.test(kernel),
  },
  {
    what: 'a datagram to another host by way of lo',
    why: 'nobody else is there. Linux delivers it to this host, whatever its destination; the stack says ENETUNREACH',
    explains: ({ interface: nic }, kernel, stack) =>
      nic === 'lo' && stack === 'sent: ENETUNREACH' && kernel === 'sent: ',
  },
]
