/** The gallery, in the order in which it teaches. */
import type { Lab } from './lab.ts'
import { FRAGMENT_LABS } from './labs-fragments.ts'
import { GROUP_LABS } from './labs-groups.ts'
import { PATH_LABS } from './labs-path.ts'
import { QUEUE_LABS } from './labs-queues.ts'

export const LABS: readonly Lab[] = [...PATH_LABS, ...GROUP_LABS, ...FRAGMENT_LABS, ...QUEUE_LABS]

/** The scenario of a lab, as a file. @throws {Error} for a lab that there is not */
export async function labText(id: string): Promise<string> {
  const { TEXTS } = await import('./texts.ts')
  const text = TEXTS[`./${id}.yaml`] ?? TEXTS[`../../examples/scenarios/${id}.yaml`]
  if (text === undefined) throw new Error(`There is no lab '${id}'.`)
  return text
}
