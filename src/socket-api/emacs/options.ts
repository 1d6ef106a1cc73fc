/** Network options: what Emacs hands to setsockopt. */
import { errnoError } from '../dgram/errors.ts'
import { badValue, isOn, withoutColon } from './arguments.ts'
import { type NetworkProcess, notRunning } from './process.ts'

/**
 * The options that Emacs hands to setsockopt. Of the booleans, `null`, `undefined` and `false` are
 * off.
 */
export interface NetworkOptions {
  /**
   * Send and receive by this nic only; `null`, `false` or `''` for any. Default `null`. Linux:
   * SO_BINDTODEVICE.
   */
  bindtodevice?: string | false | null
  /** Sending to broadcast addresses is allowed. Default `false`. Linux: SO_BROADCAST. */
  broadcast?: boolean | null
  /**
   * Only destinations on a network of this host's own are reached; others are ENETUNREACH. Default
   * `false`. Linux: SO_DONTROUTE.
   */
  dontroute?: boolean | null
  /** Has no effect on datagrams. Default `false`. */
  keepalive?: boolean | null
  /** No effect on datagrams; seconds, or whether to wait. Default `null`. */
  linger?: boolean | number | null
  /** No effect on datagrams. Default `false`. */
  oobinline?: boolean | null
  /**
   * TOS or Traffic Class byte of what is sent, 0 to 255; links with priority bands queue by it.
   * Default 0.
   */
  priority?: number | false | null
  /**
   * Others that set it too may have the same address and port. Only at creation. Default: `true`
   * for servers. Linux: SO_REUSEADDR.
   */
  reuseaddr?: boolean | null
}

interface Option {
  readonly initial: unknown
  /** Checks the value and makes it effective. Returns what is reported from now on. */
  apply(process: NetworkProcess, value: unknown): unknown
}

const OPTIONS: Record<string, Option> = {
  bindtodevice: {
    initial: null,
    apply({ stack, endpoint, name }, value) {
      if (!isOn(value) || value === '') {
        endpoint.boundNic = 0
        return null
      }
      if (typeof value !== 'string')
        throw badValue('bindtodevice', value, 'the name of a network interface, or null or false')
      const nic = stack.nic(value)
      if (nic === undefined) {
        const error = errnoError('ENODEV', 'setsockopt')
        error.message +=
          `: there is no interface '${value}' to bind process ${name} to, but ` +
          `${stack.nics.map((each) => each.name).join(', ')}.`
        throw error
      }
      endpoint.boundNic = nic.index
      return value
    },
  },
  broadcast: {
    initial: false,
    apply({ endpoint }, value) {
      endpoint.broadcast = isOn(value)
      return endpoint.broadcast
    },
  },
  dontroute: {
    initial: false,
    apply({ endpoint }, value) {
      endpoint.dontRoute = isOn(value)
      return endpoint.dontRoute
    },
  },
  keepalive: { initial: false, apply: (_process, value) => isOn(value) },
  linger: {
    initial: null,
    apply(_process, value) {
      if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0))
        throw badValue('linger', value, 'whole seconds, a boolean or null')
      return typeof value === 'number' ? value : isOn(value) ? true : null
    },
  },
  oobinline: { initial: false, apply: (_process, value) => isOn(value) },
  priority: {
    initial: 0,
    apply({ endpoint }, given) {
      const value = isOn(given) ? given : 0
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 255)
        throw badValue('priority', value, 'a TOS or Traffic Class byte, 0 to 255')
      endpoint.tos = value as number
      return value
    },
  },
}

/** The names of those that can be changed. */
export const OPTION_NAMES: readonly string[] = Object.keys(OPTIONS)

/** Makes those effective that a process is made with, and notes the others with their defaults. */
export function applyOptions(process: NetworkProcess): void {
  const { contact } = process
  for (const [name, option] of Object.entries(OPTIONS)) {
    const value = contact[name]
    contact[name] = value === undefined ? option.initial : option.apply(process, value)
  }
}

/**
 * Changes a network option; any but `reuseaddr`.
 * @returns `true`; `null` for an option that does not exist or cannot be changed, if `noError` is
 *   true
 * @throws {TypeError} for such an option otherwise, and for a bad value; @throws {Error} with
 *   `code`: ENODEV (bindtodevice), EBADF (deleted)
 */
export function setNetworkProcessOption(
  process: NetworkProcess,
  option: string,
  value: unknown,
  noError = false,
): true | null {
  if (process.endpoint.closed) throw notRunning(process)
  const name = withoutColon(String(option))
  const known = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined
  if (known === undefined) {
    if (noError) return null
    throw new TypeError(
      name === 'reuseaddr'
        ? 'The network option reuseaddr can be given to makeNetworkProcess only.'
        : `Not a network option: '${option}'. There are ${OPTION_NAMES.join(', ')}.`,
    )
  }
  process.contact[name] = known.apply(process, value)
  return true
}
