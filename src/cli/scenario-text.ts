/** Reading the text of a scenario; its errors name line, column and key. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'
import { checkScenario, type Scenario } from '../network/scenario/scenario.ts'
import { ScenarioError } from '../network/scenario/scenario-error.ts'

/** What is wrong with a scenario, and where it stands in the text. */
export class ScenarioTextError extends Error {
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number

  constructor(line: number, column: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ScenarioTextError'
    this.line = line
    this.column = column
  }
}

/** What is wrong at a place of the file's text. */
class Fault extends Error {
  readonly offset: number
  constructor(offset: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.offset = offset
  }
}

/**
 * YAML, of which JSON is a part.
 * @throws {ScenarioTextError}
 */
export function readScenarioText(text: string): Scenario {
  const lineCounter = new LineCounter()
  try {
    return scenarioOf(parse(text, lineCounter))
  } catch (error) {
    const { line, col } = lineCounter.linePos(error instanceof Fault ? error.offset : 0)
    // The parser knows no line before it has seen one.
    throw new ScenarioTextError(Math.max(1, line), Math.max(1, col), (error as Error).message, error)
  }
}

function parse(text: string, lineCounter: LineCounter): Document {
  let document: Document.Parsed
  try {
    document = parseDocument(text, { lineCounter, prettyErrors: false })
  } catch (error) {
    if (error instanceof RangeError) throw new Fault(0, 'lists and maps are nested too deeply', error)
    throw error
  }
  // A tag that nobody knows is a warning of the parser.
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw new Fault(problem.pos[0], problem.message, problem)
  checkAliases(document)
  return document
}

/** @throws {Fault} for an alias without its anchor, or within what it stands for */
function checkAliases(document: Document): void {
  visit(document, {
    Alias(_key, alias, path) {
      const target = alias.resolve(document)
      if (target === undefined)
        throw new Fault(offsetOf(alias), `the alias *${alias.source} stands before its anchor, or has none`)
      if (path.includes(target))
        throw new Fault(offsetOf(alias), `the alias *${alias.source} is within what it stands for: that has no end`)
    },
  })
}

function scenarioOf(document: Document): Scenario {
  let value: unknown
  try {
    value = document.toJS()
  } catch (error) {
    // The parser's guard against aliases of aliases of aliases.
    throw new Fault(firstAlias(document), (error as Error).message, error)
  }
  try {
    return checkScenario(value)
  } catch (error) {
    const path = error instanceof ScenarioError ? error.path : []
    throw new Fault(offsetAt(document, path), (error as Error).message, error)
  }
}

function firstAlias(document: Document): number {
  let first = 0
  visit(document, {
    Alias(_key, alias) {
      first = offsetOf(alias)
      return visit.BREAK
    },
  })
  return first
}

function offsetOf(node: unknown, otherwise = 0): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? otherwise
}

/**
 * Where the key at the end of the path stands, or what is nearest to it; behind an alias, where its
 * anchor is.
 */
function offsetAt(document: Document, path: readonly (string | number)[]): number {
  const target = (node: unknown) => (isAlias(node) ? (node as Alias).resolve(document) : node)
  let node: unknown = document.contents
  let offset = offsetOf(node)
  for (const step of path) {
    node = target(node)
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => keyText(target(key)) === String(step))
      if (pair === undefined) break
      offset = offsetOf(pair.key, offset)
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[step as number]
      offset = offsetOf(node, offset)
    } else break
  }
  return offset
}

function keyText(key: unknown): string | undefined {
  if (isScalar(key)) return String(key.value ?? '')
  return isNode(key) ? (key as Node).toString() : undefined
}
