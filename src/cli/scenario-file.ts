/** Reading a scenario file; its errors name the line and the key. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { checkScenario, type Scenario } from '../network/scenario.ts'
import { ScenarioError } from '../network/scenario-schema.ts'
import { readInputFile } from './input-file.ts'

/**
 * YAML, of which JSON is a part.
 * @throws {Error} with file, line and key: `lab.yaml:7: links[0].mtu: …`
 */
export function readScenarioFile(file: string): Scenario {
  const text = readInputFile(file).toString()
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  const at = (offset: number) => `${file}:${lineCounter.linePos(offset).line}`
  const [problem] = document.errors
  if (problem !== undefined) throw new Error(`${at(problem.pos[0])}: ${problem.message}`)
  try {
    return checkScenario(document.toJS())
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error
    throw new Error(`${at(offsetOf(document.contents, error.path))}: ${error.message}`, { cause: error })
  }
}

/** Where the key at the end of the path stands, or what is nearest to it. */
function offsetOf(contents: unknown, path: readonly (string | number)[]): number {
  let node = contents
  let offset = (node as Node | null)?.range?.[0] ?? 0
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      if (pair === undefined) break
      offset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[step as number]
      offset = (node as Node | undefined)?.range?.[0] ?? offset
    } else break
  }
  return offset
}
