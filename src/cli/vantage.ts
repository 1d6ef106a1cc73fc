/** From where ping, trace, mtu and nc look: a stack on a device, or a host of a scenario. */
import { type Address, type Family, parseScoped } from '../base/address.ts'
import { SystemClock, type Timer } from '../base/clock.ts'
import { buildScenario } from '../network/scenario/scenario.ts'
import type { Stack } from '../stack.ts'
import { openCaptureSink } from './capture.ts'
import { type OptionGroup, type OptionValues, option } from './command-line.ts'
import { hostGroup, hostOptions, openHost } from './host.ts'
import { awaitRouters, reach, zoneIndex } from './reach.ts'
import { type Run, startRun } from './run.ts'
import { readScenarioFile } from './scenario-file.ts'
import { UsageError } from './usage.ts'

const scenarioOptions = {
  on: option('--on <FILE>', 'a scenario file (see tungram sim); time is simulated'),
  from: option('--from <HOST>', 'the host of the scenario to look from'),
  seed: option('--seed <SEED>', "instead of the scenario's"),
  ipv4: option('-4, --ipv4', 'IPv4, where a name has both families; the default'),
  ipv6: option('-6, --ipv6', 'IPv6'),
} as const

/** The common options. */
export const vantageOptions = { ...hostOptions, ...scenarioOptions } as const

export const vantageGroups: readonly OptionGroup[] = [
  { title: 'On a scenario, instead of a device', options: scenarioOptions },
  hostGroup,
]

export type VantageArguments = OptionValues<typeof vantageOptions>

export interface Vantage {
  readonly run: Run
  readonly stack: Stack
  /** Whether time is simulated, so that something without end has none. */
  readonly isSimulated: boolean
  /**
   * Whether it looks from a device: what cannot be reached when its routers were asked, will not be
   * later either.
   */
  readonly isOnDevice: boolean
  /** Milliseconds. */
  now(): number
  schedule(delay: number, callback: () => void): Timer
  /** The run's end, while time goes on. */
  finish(): Promise<string>
  close(): void
}

/**
 * Opens the device, or builds the scenario; `realTime` for what talks to a person.
 * @throws {UsageError} before anything is opened; {Error} when it cannot be
 */
export async function openVantage(values: VantageArguments, realTime = false): Promise<Vantage> {
  if (values.ipv4 && values.ipv6) throw new UsageError('-4 and -6 exclude each other')
  if (values.on === undefined) {
    if (values.from !== undefined || values.seed !== undefined)
      throw new UsageError('--from and --seed belong to a scenario: --on FILE')
    const host = await openHost(values)
    const clock = new SystemClock()
    return {
      run: host.run,
      stack: host.stack,
      isSimulated: false,
      isOnDevice: true,
      now: () => clock.now(),
      schedule: (delay, callback) => clock.schedule(delay, callback),
      finish: () => host.run.ended,
      close: () => host.close(),
    }
  }
  for (const name of ['tun', 'tap', 'address', 'peer', 'gateway', 'mtu', 'icmpRateLimit'] as const)
    if (values[name] !== undefined)
      throw new UsageError(`${vantageOptions[name].flags.split(' ')[0]} and --on exclude each other`)
  const { from, seed, capture } = values
  if (from === undefined) throw new UsageError('name the host to look from: --from HOST')
  const scenario = readScenarioFile(values.on)
  const network = buildScenario(scenario, {
    clock: realTime ? 'real' : 'virtual',
    lineage: 0,
    ...(seed === undefined ? {} : { seed }),
  })
  let stack: Stack
  try {
    stack = network.stack(from)
  } catch (error) {
    network.close()
    throw new UsageError(`--from: ${(error as Error).message}`)
  }
  const file = capture === undefined ? null : openCaptureSink(capture)
  if (file !== null) network.capture((chunk) => file.write(chunk))
  const run = startRun()
  return {
    run,
    stack,
    isSimulated: !realTime,
    isOnDevice: false,
    now: () => network.now,
    schedule: (delay, callback) => network.at(network.now + delay, callback),
    finish: () => network.run(run.ended, Number.MAX_SAFE_INTEGER),
    close() {
      network.close()
      file?.close()
    },
  }
}

/**
 * Looks from there: opens the vantage, calls `begin`, which starts what is to be done and returns
 * what ends it, waits for the run's end, and closes everything, whatever happens.
 * @returns what went wrong during the run, `''` for nothing
 * @throws {UsageError} before anything is opened; {Error} when it cannot be
 */
export async function lookFrom(
  values: VantageArguments,
  begin: (vantage: Vantage) => Promise<() => void>,
): Promise<string> {
  const vantage = await openVantage(values)
  try {
    const end = await begin(vantage)
    const failure = await vantage.finish()
    end()
    return failure
  } finally {
    vantage.run.end()
    vantage.close()
  }
}

/** Where a host is. */
export interface Destination {
  /** As it was written. */
  readonly name: string
  readonly address: Address
  /** Index of the nic that the zone of an address names; 0 for none. */
  readonly nic: number
}

/**
 * An address, possibly with a zone, or the name of a host of the scenario.
 * @throws {UsageError} when there is none, {Error} when the stack of a device cannot reach it
 */
export async function destination(
  vantage: Vantage,
  name: string,
  values: { ipv4?: boolean; ipv6?: boolean },
): Promise<Destination> {
  const { stack } = vantage
  const wanted: Family | null = values.ipv4 ? 4 : values.ipv6 ? 6 : null
  const candidates = stack.hosts.get(name) ?? [name]
  const family = wanted ?? (candidates.every((text) => text.includes(':')) ? 6 : 4)
  const found = candidates.find((text) => text.includes(':') === (family === 6))
  const scoped = found === undefined ? null : parseScoped(found)
  if (scoped === null) {
    const also = vantage.isOnDevice ? ': on a device names are not looked up' : ', and no host of the scenario with one'
    throw new UsageError(`'${name}' is no IPv${family} address${also}`)
  }
  const { address, zone } = scoped
  const nic = zone === '' ? 0 : zoneIndex(stack, zone)
  if (vantage.isOnDevice) {
    await awaitRouters(stack, address, nic, vantage.run.ended)
    reach(stack, address, nic)
  }
  return { name, address, nic }
}

/** A time in seconds, with a fraction. @throws {UsageError} */
export function seconds(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value > 86_400)
    throw new UsageError(`--${option} takes seconds, such as 0.5, not '${text}'`)
  return value * 1000
}
