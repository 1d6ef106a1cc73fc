/** `tungram ping`: echo requests, one after another. */
import { ping } from '../shell/ping.ts'
import { readCommandLine } from './command-line.ts'
import { terminal } from './output.ts'
import { lookFrom, onVantage, vantageOptions } from './vantage.ts'

const { options } = ping

export const description = onVantage('ping', ping, [
  'tungram ping --tun tun0 --address 10.9.0.2/24 --peer 10.9.0.1/24 10.9.0.1',
])

export function run(args: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(args, { ...vantageOptions, ...options }, { allowPositionals: true })
  return lookFrom(values, ping.read(values, positionals, terminal()))
}
