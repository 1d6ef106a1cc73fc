/**
 * Reading the values of options: what every command needs, and the errors that end in exit code 2.
 */
import { Address, type Cidr, parseCidr, parseScoped } from '../base/address.ts'
import { type InterfaceAddress, parseInterfaceAddress } from '../link/device/point-to-point.ts'
import { port, UsageError } from '../shell/usage.ts'

export { integer, onlyOne, port, UsageError } from '../shell/usage.ts'

/** @throws {UsageError} */
export function cidr(option: string, text: string): Cidr {
  try {
    return parseCidr(text)
  } catch (error) {
    throw new UsageError(`--${option}: ${(error as Error).message}`)
  }
}

/** @throws {UsageError} */
export function address(option: string, text: string): Address {
  const found = Address.tryParse(text)
  if (found === null) throw new UsageError(`--${option} takes an IP address, not '${text}'`)
  return found
}

/**
 * `10.9.0.2/24` or `10.9.0.2 peer 10.9.0.1`.
 * @throws {UsageError}
 */
export function interfaceAddress(option: string, text: string): InterfaceAddress {
  try {
    return parseInterfaceAddress(text)
  } catch (error) {
    throw new UsageError(`--${option}: ${(error as Error).message}`)
  }
}

/** An address, possibly with a zone (`''` for none), and as it was written. @throws {UsageError} */
export function scoped(option: string, text: string): { text: string; address: Address; zone: string } {
  const found = parseScoped(text)
  if (found === null) throw new UsageError(`--${option} takes an IP address, not '${text}'`)
  return { text, ...found }
}

/** An address, possibly with a zone, and a port. */
export interface Target {
  /** As written, zone included. */
  readonly text: string
  readonly address: Address
  /** `''` for none. */
  readonly zone: string
  readonly port: number
}

/**
 * Reads `192.0.2.1:5000`, `[2001:db8::1]:5000` and `[fe80::1%tun0]:5000`.
 * @throws {UsageError}
 */
export function target(option: string, text: string): Target {
  const match = /^(?:\[(.+)\]|([^:[\]]+)):(\d+)$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? ''
  const scoped = parseScoped(host)
  if (match === null || scoped === null || (match[1] !== undefined) !== (scoped.address.family === 6))
    throw new UsageError(
      `--${option} takes an address and a port, such as 192.0.2.1:5000 or [2001:db8::1]:5000, not '${text}'`,
    )
  return {
    text: host,
    address: scoped.address,
    zone: scoped.zone,
    port: port(`the port of --${option}`, match[3] as string),
  }
}
