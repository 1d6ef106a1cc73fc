/**
 * From where ping, trace, mtu and nc look: a stack on a device, or a host of a scenario. Either is
 * loaded when it is opened: a device does without scenarios, and help without both.
 */
import { SystemClock } from '../base/clock.ts'
import { familyOptions } from '../shell/family-options.ts'
import type { HostCommand, Job } from '../shell/terminal.ts'
import {
  type CommandDescription,
  type OptionDescriptions,
  type OptionGroup,
  type OptionValues,
  option,
} from './command-line.ts'
import { hostGroup, hostOptions, openHost } from './host.ts'
import { awaitRouters, reach } from './reach.ts'
import type { OpenVantage } from './scenario-vantage.ts'
import { UsageError } from './usage.ts'

const scenarioOptions = {
  on: option('--on <FILE>', 'a scenario file (see tungram sim); time is simulated'),
  from: option('--from <HOST>', 'the host of the scenario to look from'),
  seed: option('--seed <SEED>', "instead of the scenario's"),
  ...familyOptions,
} as const

/** The common options. */
export const vantageOptions = { ...hostOptions, ...scenarioOptions } as const

export const vantageGroups: readonly OptionGroup[] = [
  { title: 'On a scenario, instead of a device', options: scenarioOptions },
  hostGroup,
]

export type VantageArguments = OptionValues<typeof vantageOptions>

/**
 * Opens the device, or builds the scenario; `realTime` for what talks to a person.
 * @throws {UsageError} before anything is opened; {Error} when it cannot be
 */
async function openVantage(values: VantageArguments, realTime = false): Promise<OpenVantage> {
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
      async reach(address, nic) {
        await awaitRouters(host.stack, address, nic, host.run.ended)
        reach(host.stack, address, nic)
      },
      finish: () => host.run.ended,
      close: () => host.close(),
    }
  }
  for (const name of ['tun', 'tap', 'address', 'peer', 'gateway', 'mtu', 'icmpRateLimit'] as const)
    if (values[name] !== undefined)
      throw new UsageError(`${vantageOptions[name].flags.split(' ')[0]} and --on exclude each other`)
  const { on, from, seed, capture } = values
  if (from === undefined) throw new UsageError('name the host to look from: --from HOST')
  const { openScenario } = await import('./scenario-vantage.ts')
  return openScenario({ on, from, seed, capture, realTime })
}

/**
 * Looks from there: opens the vantage, begins the job, waits for the run's end, and closes
 * everything, whatever happens.
 * @returns the exit code
 * @throws {UsageError} before anything is opened; {Error} when it cannot be, and for what went
 * wrong
 */
export async function lookFrom(values: VantageArguments, job: Job, realTime = false): Promise<number> {
  const vantage = await openVantage(values, realTime)
  let failure = ''
  try {
    const end = await job.begin(vantage)
    failure = await vantage.finish()
    end()
  } finally {
    vantage.run.end()
    vantage.close()
  }
  return job.finish(failure)
}

/** A command of hosts as one of the machine's: on a device, or on a host of a scenario. */
export function onVantage<Options extends OptionDescriptions>(
  name: string,
  command: HostCommand<Options>,
  examples: readonly string[],
): CommandDescription {
  const device = command.usage.map((usage) => `${name} --tun NAME --address CIDR ${usage}`)
  return {
    usage: [...device, `${name} --on FILE --from HOST ${command.usage[0]}`],
    about: command.about,
    groups: [{ title: 'Options', options: command.options }, ...vantageGroups],
    examples,
  }
}
