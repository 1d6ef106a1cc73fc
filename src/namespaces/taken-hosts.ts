/** What of a scenario is left when the kernel is in the place of some hosts. */
import type { Scenario } from '../network/scenario/scenario-types.ts'

/**
 * The scenario without the flows that begin or end at these hosts: their stack is the kernel's, and
 * so are their ports.
 * @returns it, and what the user has to know
 */
export function withoutFlowsOf(scenario: Scenario, hosts: Iterable<string>): { scenario: Scenario; notes: string[] } {
  const taken = new Set(hosts)
  const { flows = [] } = scenario
  const notes = [...taken].flatMap((name) => {
    const echo = Object.hasOwn(scenario.hosts ?? {}, name) ? scenario.hosts?.[name]?.echo : undefined
    return echo === undefined ? [] : [`${name} is a namespace of the kernel: its echo service is left out`]
  })
  const left = flows.filter(({ from, to }) => !taken.has(from) && !taken.has(to))
  const gone = flows.length - left.length
  if (gone === 0) return { scenario, notes }
  notes.push(`${gone} of ${flows.length} flows left out: programs run on the hosts that they begin or end at`)
  return { scenario: { ...scenario, flows: left }, notes }
}
