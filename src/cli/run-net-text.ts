/** What `tungram run --net` says at the end of a run. */
import type { LabResult } from '../namespaces/lab.ts'
import type { ProgramResult } from '../namespaces/program.ts'
import { flowLines } from './flow-text.ts'
import { hopLines } from './hop-text.ts'

/** The summary for people. */
export function labLines({ programs, flows, hops, drops, explain, lag, time, seed, interrupted }: LabResult): string[] {
  return [
    ...programs.map((program) => `${program.on}: ${program.command}: ${endText(program)}`),
    ...flows.flatMap(flowLines),
    ...hopLines(hops),
    ...drops.map(
      ({ node, nic, reason, count }) => `dropped ${count} at ${node}${nic === null ? '' : `.${nic}`}: ${reason}`,
    ),
    ...explain.flatMap(({ drop, life }) => [`the first ${drop}:`, ...life.split('\n').map((line) => `  ${line}`)]),
    `late by p50/p99/worst ${lag.p50}/${lag.p99}/${lag.worst} ms`,
    `${(time / 1000).toFixed(3)} s of real time, seed ${seed}${interrupted ? ', interrupted' : ''}`,
  ]
}

/** Programs that did not end as they should. */
export function programFailures({ programs, interrupted }: LabResult): string[] {
  if (interrupted) return []
  return programs
    .filter(({ ok }) => !ok)
    .map((program) => `the program on ${program.on} did not end as expected: ${endText(program)}`)
}

function endText({ started, ended, code, signal, stopped }: ProgramResult): string {
  if (started === null) return 'not started'
  const span = `after ${(((ended ?? started) - started) / 1000).toFixed(3)} s`
  const how = signal !== null ? `signal ${signal}` : `exit code ${code}`
  return stopped ? `ended with the run ${span} (${how})` : `${how} ${span}`
}
