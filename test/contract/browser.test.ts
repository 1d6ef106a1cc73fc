/** The contract of node:dgram in a browser: its cases over in-memory wires, in Chromium. */
import { join } from 'node:path'
import type { Plugin } from 'rolldown'
import { expect } from 'vitest'
import { noBrowser } from '../chromium.ts'
import { testWith } from '../skips.ts'
import { bundle } from './browser/bundle.ts'
import { inPage } from './browser/page.ts'
import type { Result } from './browser/vitest.ts'

const here = join(import.meta.dirname, 'browser')
/** Node's modules that have a name of their own in the page's stand-in. */
const DEFAULTS: Record<string, string> = { 'node:dns': 'dns', 'node:diagnostics_channel': 'diagnosticsChannel' }

const INSPECTED = 'an error of an argument shows its code in stack, text and inspection'
/** Cases about what a browser has not, and why. */
const NOT_THERE: Record<string, string> = {
  'createSocket > %s has to be a BlockList (0)': 'without net.BlockList whatever answers as one is taken',
  'createSocket > %s has to be a BlockList (1)': 'the same',
  [`createSocket > ${INSPECTED}, and is enumerable in nothing else`]: 'node:util',
  'createSocket > a socket can be inspected': 'node:util',
  "createSocket > creation is published on the channel 'udp.socket'": 'node:diagnostics_channel',
  'bind > bind to a descriptor %s throws (1)': 'descriptors of the process, whose kind the error says',
  'send > a callback has the async context of its send': 'async contexts',
  'message > a socket gets 32 messages in a turn at most, so that others have theirs': 'each message has a turn',
  "message > an 'uncaughtException' comes before the ticks of the listener that threw": 'ticks are microtasks',
  'message > messages come in the context in which the socket was made': 'async contexts',
  "message > callbacks come in the context of their call: bind's, 'listening', send's and connect's": 'async contexts',
  'options > %s before bind throws as a SystemError (0)': 'node:util, which shows it',
  'options > %s before bind throws as a SystemError (1)': 'the same',
  'options > %s before bind throws as a SystemError (2)': 'the same',
  'options > %s before bind throws as a SystemError (3)': 'the same',
}

const stands: Plugin = {
  name: 'node-modules',
  resolveId(id) {
    if (id === 'vitest') return join(here, 'vitest.ts')
    if (DEFAULTS[id] !== undefined) return `\0${id}`
    return /^node:|\/skips\.ts$|\/tun\/namespace\.ts$/.test(id) ? join(here, 'node-modules.ts') : null
  },
  load: (id) =>
    id.startsWith('\0node:')
      ? `export { ${DEFAULTS[id.slice(1)]} as default } from '${join(here, 'node-modules.ts')}'`
      : null,
}

testWith(
  noBrowser === '',
  noBrowser,
  'TUNGRAM_REQUIRE_PAGE',
)('sockets in Chromium keep the contract', async () => {
  const script = await bundle(join(here, 'suite.ts'), [stands])
  const results = await inPage(async (page) => {
    await page.addScriptTag({ content: script })
    return await page.evaluate<Result[]>('runContract()')
  })
  expect(results.length).toBeGreaterThan(300)
  const failed = results.filter(({ failure }) => failure !== '')
  expect(failed.filter(({ name }) => NOT_THERE[name] === undefined)).toEqual([])
  expect(failed.map(({ name }) => name)).toEqual(Object.keys(NOT_THERE))
})
