/**
 * `tungram mtu`: the path MTU by what routers say and by what arrives, and the hop that limits it.
 */
import { mtu } from '../shell/mtu.ts'
import { readCommandLine } from './command-line.ts'
import { showProgress, terminal } from './output.ts'
import { lookFrom, onVantage, vantageOptions } from './vantage.ts'

const { options } = mtu

export const description = onVantage('mtu', mtu, [
  'tungram mtu --on examples/scenarios/pmtu-black-hole.yaml --from client server',
])

export function run(args: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(args, { ...vantageOptions, ...options }, { allowPositionals: true })
  const endProgress = showProgress(() => `looking for the path MTU to ${positionals[0]}`)
  const job = mtu.read(values, positionals, terminal(endProgress))
  return lookFrom(values, job).finally(endProgress)
}
