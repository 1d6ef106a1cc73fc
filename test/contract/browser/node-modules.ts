/**
 * What the cases of the contract import from Node, in a page. Sockets have their own
 * (`src/socket-api/platform/browser.ts`), and see nothing of this.
 */
import { once } from 'events'
import { Address, parseCidr } from '../../../src/base/address.ts'
import { dns, isIP, AsyncLocalStorage as Storage } from '../../../src/socket-api/platform/browser.ts'
import { EventEmitter } from '../../../src/socket-api/platform/browser-emitter.ts'
import { inspect } from '../../../src/socket-api/platform/browser-errors.ts'
import { test } from './vitest.ts'

export { dns, EventEmitter, inspect, isIP, once, Storage as AsyncLocalStorage }

/** node:dgram: there is none, and the cases only ask what its class has. */
export class Socket {
  bindSync(): void {}
}

export const diagnosticsChannel = {
  channel: () => ({ subscribe() {}, unsubscribe() {} }),
  subscribe() {},
  unsubscribe() {},
}

export function inherits(derived: { prototype: object }, base: { prototype: object }): void {
  Object.setPrototypeOf(derived.prototype, base.prototype)
}

/** As net.BlockList: any object that answers so is taken. */
export class BlockList {
  readonly #rules: ((address: Address) => boolean)[] = []

  addAddress(text: string): void {
    this.#rules.push((address) => address.equals(Address.parse(text)))
  }

  addSubnet(net: string, length: number): void {
    const { prefix } = parseCidr(`${net}/${length}`)
    this.#rules.push((address) => prefix.contains(address))
  }

  check(text: string): boolean {
    const address = Address.parse(text)
    return this.#rules.some((rule) => rule(address))
  }
}

export function execFileSync(): never {
  throw new Error('A page starts no programs.')
}

/** There is no kernel beside: its half of the suite is not run. */
export const enterNamespace = () => 'a page has no namespaces'
export const skipAloud = () => {}
/** The sockets of the suite have all. */
export const testWith = () => test
export const openSync = (): number => 3
export const closeSync = (): void => {}
