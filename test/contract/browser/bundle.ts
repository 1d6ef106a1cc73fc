/** Sources as one script for a page, as a bundler of a program would make it. */
import { join } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'

const root = join(import.meta.dirname, '../../..')
const PLATFORM = join(root, 'src/socket-api/platform/browser.ts')

/** package.json tells of built files alone which of them are more than what they export. */
const whole: Plugin = {
  name: 'whole',
  transform: (code, id) => (id.includes('/src/socket-api/') ? { code, moduleSideEffects: true } : null),
}

/** The text of a script; an import of a Node module that `plugins` do not answer is an error. */
export async function bundle(input: string, plugins: Plugin[] = []): Promise<string> {
  const made = await rolldown({
    input,
    platform: 'browser',
    // Its paths name what Node has.
    tsconfig: false,
    resolve: { alias: { '#platform': PLATFORM } },
    plugins: [...plugins, whole],
    onLog(level, log, log2) {
      if (level === 'warn' && !log.message.includes('node_modules')) log2('error', log)
    },
  })
  const { output } = await made.generate({ format: 'iife', codeSplitting: false, intro: '"use strict";' })
  const [{ code }] = output
  const { imports } = output[0]
  if (imports.length > 0) throw new Error(`The bundle for browsers asks for ${imports.join(', ')}.`)
  return code
}
