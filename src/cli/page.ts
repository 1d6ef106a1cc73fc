/** `tungram page`: serves the laboratory in the browser, as it was built. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CommandDescription, option, readCommandLine } from './command-line.ts'
import { print } from './output.ts'
import { pageServer } from './page-server.ts'
import { startRun } from './run.ts'
import { integer } from './usage.ts'

const options = {
  port: option('--port <P>', 'the port; 0 takes a free one; default 8642'),
  host: option('--host <ADDRESS>', 'the address to listen on; default 127.0.0.1, which only this machine reaches'),
  folder: option('--folder <DIR>', 'the built page; default: where npm run page builds it'),
} as const

export const description: CommandDescription = {
  usage: ['page [--port P] [--host ADDRESS] [--folder DIR]'],
  about: [
    'Serves the network laboratory, a page for browsers: it draws a network, runs it and shows every packet. It is ' +
      "built from a clone of the project by 'npm run page'. Ends on SIGINT and SIGTERM.",
  ],
  groups: [{ title: 'Options', options }],
  examples: ['tungram page', 'tungram page --port 9000'],
}

const DEFAULT_PORT = 8642

export async function run(args: string[]): Promise<number> {
  const { values } = readCommandLine(args, options)
  const port = integer('port', values.port, 0, 65_535) ?? DEFAULT_PORT
  const host = values.host ?? '127.0.0.1'
  const folder = builtPage(values.folder)
  const run = startRun()
  const server = pageServer(folder)
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    run.end()
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new Error(`port ${port} is in use: choose another with --port, or 0 for a free one`)
    throw new Error(`cannot listen on ${host}, port ${port}: ${message}`, { cause: error })
  }
  const { port: own, family, address } = server.address() as AddressInfo
  print(`http://${family === 'IPv6' ? `[${address}]` : address}:${own}/`)
  const failure = await run.ended
  server.close()
  server.closeAllConnections()
  if (failure !== '') throw new Error(failure)
  return 0
}

/** The folder of the built page. @throws {Error} that says how to get one */
function builtPage(given: string | undefined): string {
  const folder = given === undefined ? fileURLToPath(new URL('../../page/dist', import.meta.url)) : resolve(given)
  if (existsSync(join(folder, 'index.html'))) return folder
  if (given !== undefined) throw new Error(`there is no page in ${folder}: it has no index.html`)
  throw new Error(
    "the page is not built here. In a clone of the project: npm ci && npm run page. The package itself doesn't " +
      'carry it; --folder DIR serves one that was built elsewhere',
  )
}
