/** `tungram nc`: a UDP netcat. */
import { nc } from '../shell/nc.ts'
import { readCommandLine } from './command-line.ts'
import { LiveOutput, terminal } from './output.ts'
import { lookFrom, onVantage, vantageOptions } from './vantage.ts'

const { options } = nc

export const description = onVantage('nc', nc, [
  'echo hello | tungram nc --tun tun0 --address 10.9.0.2/24 --peer 10.9.0.1/24 10.9.0.1 5000',
])

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(args, { ...vantageOptions, ...options }, { allowPositionals: true })
  const output = new LiveOutput()
  const job = nc.read(values, positionals, { ...terminal(), hasRoom: () => output.hasRoom() })
  try {
    return await lookFrom(
      values,
      {
        begin: job.begin,
        finish(failure) {
          output.end('datagram')
          return job.finish(failure)
        },
      },
      true,
    )
  } finally {
    process.stdin.destroy()
  }
}
