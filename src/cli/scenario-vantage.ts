/** A host of a scenario, from where ping, trace, mtu and nc look. */
import { buildScenario } from '../network/scenario/scenario.ts'
import type { Vantage } from '../shell/terminal.ts'
import type { Stack } from '../stack.ts'
import { openCaptureSink } from './capture.ts'
import { type Run, startRun } from './run.ts'
import { readScenarioFile } from './scenario-file.ts'
import { UsageError } from './usage.ts'

/** A vantage of the machine. */
export interface OpenVantage extends Vantage {
  readonly run: Run
  /** The run's end, while time goes on. */
  finish(): Promise<string>
  close(): void
}

interface Place {
  /** The scenario's file. */
  readonly on: string
  /** The host's name. */
  readonly from: string
  readonly seed: string | undefined
  readonly capture: string | undefined
  readonly realTime: boolean
}

/** @throws {UsageError} for a host that there is not; {Error} for a file that cannot be read */
export function openScenario({ on, from, seed, capture, realTime }: Place): OpenVantage {
  const scenario = readScenarioFile(on)
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
