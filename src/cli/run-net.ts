/** `tungram run --net`: programs of the machine on the hosts of a scenario. */
import { constants } from 'node:os'
import type { ForeignHost, LabResult } from '../namespaces/lab.ts'
import { holdLifeline } from '../namespaces/lifeline.ts'
import type { ProgramPlan } from '../namespaces/program.ts'
import { isInside, runInside } from '../namespaces/sandbox.ts'
import { withoutFlowsOf } from '../namespaces/taken-hosts.ts'
import type { Scenario } from '../network/scenario/scenario.ts'
import { type Duration, milliseconds } from '../network/time/duration.ts'
import { openCaptureSink } from './capture.ts'
import { complain, note, outputIsFull, outputReady, print, printJson } from './output.ts'
import { type ProgramsOnHosts, readPrograms } from './run-net-arguments.ts'
import { labLines, programFailures } from './run-net-text.ts'
import { readScenarioFile } from './scenario-file.ts'
import { UsageError } from './usage.ts'

/** Milliseconds that the network may be late before it is said without being asked. */
const NOTEWORTHY_LAG = 10

/** What the command line asks for, read and checked. */
interface Plan extends ProgramsOnHosts {
  readonly scenario: Scenario
  readonly programs: readonly ProgramPlan[]
}

export async function runOnNetwork(args: string[]): Promise<number> {
  const inside = isInside()
  const plan = readPlan(args)
  if (!inside) return await runInside(plan.isInteractive)
  const { values } = plan
  const { scenario, notes } = withoutFlowsOf(
    plan.scenario,
    [...plan.programs, ...plan.foreign].map(({ on }) => on),
  )
  for (const text of notes) note(`tungram run: ${text}`)
  const report =
    values.report === undefined
      ? null
      : new (await import('./report/report.ts')).Report(values.report, values.net, scenario, plan.ladder)
  const file = values.capture === undefined ? null : openCaptureSink(values.capture)
  const width = Math.max(0, ...plan.programs.map(({ on }) => on.length))
  let ended: NodeJS.Signals | null = null
  let stop: ((signal: NodeJS.Signals) => void) | null = null
  holdLifeline((signal) => {
    ended ??= signal
    // Before there are programs there is nothing to be ended in good order.
    if (stop === null) process.exit(exitCodeOf(signal))
    stop(signal)
  })
  try {
    // Needed in the namespaces only: the process outside of them starts without.
    const { runLab } = await import('../namespaces/lab.ts')
    const result = await runLab(scenario, {
      seed: values.seed ?? scenario.seed ?? 1,
      programs: plan.programs,
      foreign: plan.foreign,
      explain: values.explain === true,
      isWarm: plan.isWarm,
      note: (text) => note(`tungram run: ${text}`),
      lines(on, line, isError) {
        const text = `${on.padEnd(width)} | ${line.replaceAll('\t', '    ')}`
        // Standard output is for the result when that is JSON.
        if (isError || values.json === true) note(text)
        else print(text)
        return outputIsFull() ? outputReady() : null
      },
      started(end) {
        stop = end
      },
      ...(file === null ? {} : { capture: (chunk: Uint8Array) => file.write(chunk) }),
      ...(report === null ? {} : { watch: report.recorder }),
    })
    report?.run(result, result)
    const failures = failuresOf(result, plan)
    if (values.json === true) printJson({ ...result, failures })
    else print(...labLines(result))
    for (const failure of failures) complain(`tungram run: ${failure}`)
    if (ended !== null) return exitCodeOf(ended)
    return failures.length === 0 ? 0 : codeOf(result)
  } finally {
    file?.close()
  }
}

function failuresOf(result: LabResult, { maxLag }: Plan): string[] {
  const failures = programFailures(result)
  const { worst } = result.lag
  if (maxLag !== null && worst > maxLag)
    failures.push(`the network was late by ${worst} ms, more than --max-lag allows (${maxLag} ms)`)
  else if (maxLag === null && worst > NOTEWORTHY_LAG)
    note(`tungram run: the network was late by ${worst} ms at worst; --max-lag makes such a run fail`)
  return failures
}

/** As shells have it. */
function exitCodeOf(signal: string): number {
  return 128 + constants.signals[signal as NodeJS.Signals]
}

/** Of the first program that did not end as it should, where that says something. */
function codeOf({ programs }: LabResult): number {
  const failed = programs.find(({ ok }) => !ok)
  if (failed === undefined) return 1
  if (failed.signal !== null) return exitCodeOf(failed.signal)
  return failed.code === null || failed.code === 0 ? 1 : failed.code
}

function readPlan(args: string[]): Plan {
  const asked = readPrograms(args)
  const scenario = readScenarioFile(asked.values.net)
  const fromFile = asked.groups.length > 0 ? [] : (scenario.programs ?? [])
  const programs = [
    ...fromFile.map(({ on, command, start = 0, env = {}, cwd = process.cwd(), expect = null }) =>
      programPlan(on, command, start, env, cwd, expect, false),
    ),
    ...asked.groups.flatMap(({ on, command, after, env, cwd, expect, isInteractive }) =>
      command.length === 0 ? [] : [programPlan(on, command, after, env, cwd, expect, isInteractive)],
    ),
  ]
  const foreign = asked.groups.flatMap(({ on, netns }): ForeignHost[] => (netns === null ? [] : [{ on, netns }]))
  if (programs.length === 0 && foreign.length === 0)
    throw new UsageError("name a host and a program: '--on HOST -- COMMAND', or programs in the file")
  checkHosts(
    scenario,
    [...programs, ...foreign].map(({ on }) => on),
  )
  return { ...asked, scenario, programs, foreign }
}

function programPlan(
  on: string,
  command: string | readonly string[],
  start: Duration,
  env: Readonly<Record<string, string>>,
  cwd: string,
  expect: number | null,
  isInteractive: boolean,
): ProgramPlan {
  const words = typeof command === 'string' ? ['sh', '-c', command] : command
  const text = typeof command === 'string' ? command : words.join(' ')
  return {
    on,
    command: words as [string, ...string[]],
    text,
    start: milliseconds(start),
    env,
    cwd,
    expect,
    isInteractive,
  }
}

/** Before anything is made. @throws {UsageError} */
function checkHosts({ hosts = {}, links = [] }: Scenario, names: readonly string[]): void {
  for (const name of names) {
    if (!Object.hasOwn(hosts, name))
      throw new UsageError(
        `--on takes a host of the scenario, not '${name}': there ` +
          `${Object.keys(hosts).length === 1 ? 'is' : 'are'} ${Object.keys(hosts).join(', ') || 'none'}`,
      )
    if (!links.some(({ between }) => between.includes(name)))
      throw new UsageError(`${name} has no cable: name it under links`)
  }
}
