/** The gallery, in the order in which it teaches. */
import type { Lab } from './lab.ts'
import { FRAGMENT_LABS } from './labs-fragments.ts'
import { PATH_LABS } from './labs-path.ts'
import { QUEUE_LABS } from './labs-queues.ts'

export const LABS: readonly Lab[] = [...PATH_LABS, ...FRAGMENT_LABS, ...QUEUE_LABS]

const texts = import.meta.glob<string>(['./*.yaml', '../../examples/scenarios/*.yaml'], {
  query: '?raw',
  import: 'default',
})

/** The scenario of a lab, as a file. @throws {Error} for a lab that there is not */
export async function labText(id: string): Promise<string> {
  const load = texts[`./${id}.yaml`] ?? texts[`../../examples/scenarios/${id}.yaml`]
  if (load === undefined) throw new Error(`There is no lab '${id}'.`)
  return await load()
}
