/** Reading a scenario file; its errors name file, line, column and key. */
import type { Scenario } from '../network/scenario/scenario.ts'
import { shipped } from './examples.ts'
import { readInputFile } from './input-file.ts'
import { readScenarioText, type ScenarioTextError } from './scenario-text.ts'

/**
 * YAML, of which JSON is a part.
 * @throws {Error} with file, line, column and key: `lab.yaml:7:12: links[0].mtu: …`
 */
export function readScenarioFile(file: string): Scenario {
  const text = readInputFile(shipped(file)).toString()
  try {
    return readScenarioText(text)
  } catch (error) {
    const { line, column, message } = error as ScenarioTextError
    throw new Error(`${file}:${line}:${column}: ${message}`, { cause: error })
  }
}
