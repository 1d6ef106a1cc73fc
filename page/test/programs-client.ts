/** What the page does with programs, for the test in a browser. */
import { EngineClient } from '../src/engine-client.ts'
import type { Program } from '../src/protocol.ts'

interface Given {
  readonly engineScript: string
  readonly text: string
  readonly programs: readonly Program[]
}

async function tryPrograms({ engineScript, text, programs }: Given) {
  const workerUrl = URL.createObjectURL(new Blob([engineScript], { type: 'text/javascript' }))
  Object.assign(globalThis, { workerUrl })
  const client = new EngineClient()
  let failure = ''
  client.onFailure = (message) => {
    failure = message
  }
  const run = async (more: readonly Program[] = [], patience = 60_000) => {
    const request = { text, until: 2500, programs: [...programs, ...more] }
    const { said } = await client.call('run', [request], undefined, patience)
    return { said }
  }
  const first = await run().catch((error) => Promise.reject(new Error(failure || error.message)))
  const fault = await client.call('check', ['let a = 1\nlet b = ;\nlet c'])
  const hung = await run([{ host: 'client', at: 0, code: 'while (true);' }], 1000).catch((error) => `${error}`)
  return { run: first, fault, hung, again: await run() }
}

Object.assign(globalThis, { tryPrograms })
