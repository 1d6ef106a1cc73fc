/** `tungram trace`: UDP traceroute. */
import { trace } from '../shell/trace.ts'
import { readCommandLine } from './command-line.ts'
import { terminal } from './output.ts'
import { lookFrom, onVantage, vantageOptions } from './vantage.ts'

const { options } = trace

export const description = onVantage('trace', trace, [
  'tungram trace --on examples/scenarios/ttl-scoping.yaml --from near far',
])

export function run(args: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(args, { ...vantageOptions, ...options }, { allowPositionals: true })
  return lookFrom(values, trace.read(values, positionals, terminal()))
}
