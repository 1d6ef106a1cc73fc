/**
 * Whether a stack can send to an address at all: asked before anything is sent, and answered with
 * what to do about it.
 */
import type { Address } from '../base/address.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { Stack } from '../stack.ts'
import { note } from './output.ts'

/**
 * The way to an address from a stack on a device, over one nic when `nic` is not 0.
 * @throws {Error} when there is none
 */
export function reach(stack: Stack, to: Address, nic: number): Route {
  const { w0, w1, w2, w3 } = to
  const route = stack.ip.route(w0, w1, w2, w3, nic)
  if (nic === 0 && to.family === 6 && (to.isLinkLocal || isLinkLocalGroup(to)) && route?.nic.isLoopback !== true) {
    const names = stack.nics.filter(({ isLoopback }) => !isLoopback).map(({ name }) => `${to}%${name}`)
    throw new Error(`${to} means another host on every link: name the interface too, as in ${names.join(' or ')}`)
  }
  if (route !== null) return route
  const networks = stack.nics
    .filter(({ isLoopback }) => !isLoopback)
    .flatMap(({ addresses }) =>
      addresses.filter(({ address }) => address.family === to.family).map(({ prefix }) => `${prefix}`),
    )
  if (networks.length === 0) {
    const example = to.family === 4 ? '10.9.0.2/24' : 'fd09::2/64'
    throw new Error(
      `the stack has no IPv${to.family} address to reach ${to} from: give it one with --address, such as ` +
        `'--address ${example}'`,
    )
  }
  throw new Error(
    `there is no route to ${to}, the stack's networks being ${networks.join(' and ')}: ` +
      'name a router with --gateway ADDR, or give the stack an address of that network with --address CIDR',
  )
}

/**
 * Waits, where nothing leads to an address yet, for what routers of the device may advertise, as
 * long as they are asked (RFC 4861 section 6.3.7) and until `over`; for the addresses that are made
 * from it, too.
 */
export async function awaitRouters(stack: Stack, to: Address, nic: number, over: Promise<unknown>): Promise<void> {
  const { w0, w1, w2, w3 } = to
  const hasWay = () => to.family === 4 || stack.ip.route(w0, w1, w2, w3, nic) !== null
  if (hasWay()) return
  const device = stack.nics.find(({ isLoopback, index }) => !isLoopback && (nic === 0 || index === nic))
  if (device === undefined) return
  note(`nothing leads to ${to} yet: waiting for a router's advertisement`)
  const isOver = over.then(() => false)
  while (!hasWay() && (await Promise.race([device.nextRouterAdvertisement(), isOver])));
  await Promise.race([device.addressesReady(), isOver])
}

/** RFC 4291 section 2.7: scope 2. */
function isLinkLocalGroup({ isMulticast, w0 }: Address): boolean {
  return isMulticast && ((w0 >>> 16) & 0xf) === 2
}
