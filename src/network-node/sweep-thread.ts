/** The program of a thread of a sweep: runs scenarios that it is sent, one after another. */
import { parentPort } from 'node:worker_threads'
import { runScenario } from '../network/scenario/flow.ts'
import { PacketTable } from './packet-table.ts'
import type { ThreadTask } from './sweep.ts'

parentPort?.on('message', async ({ index, scenario, seed, packets }: ThreadTask) => {
  try {
    const names = (scenario.flows ?? []).map(({ name, from, to }) => name ?? `${from}-${to}`)
    const table = packets === undefined ? null : new PacketTable(names)
    const result = await runScenario(scenario, { seed, ...(table === null ? {} : { watch: table }) })
    if (packets !== undefined) table?.write(packets.path, packets.form)
    parentPort?.postMessage({ index, result })
  } catch (error) {
    parentPort?.postMessage({ index, error: (error as Error).message })
  }
})
