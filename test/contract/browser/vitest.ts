/** As much of vitest as the contract uses, in a page: cases in order, each with its result. */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import * as chai from 'chai'

type Body = (...args: never[]) => unknown

interface Case {
  readonly name: string
  readonly body: () => unknown
  readonly after: readonly (() => unknown)[]
}

export interface Result {
  readonly name: string
  /** `''` for a case that passed. */
  readonly failure: string
}

/** What a case may take: far more than any that passes does. */
const LIMIT = 2000

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

export const expect = Object.assign(
  (value: unknown, message?: string) => {
    return chai.expect(value, message)
  },
  chai.expect,
  (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT],
)
setState({ assertionCalls: 0, isExpectingAssertions: false, testPath: '' } as never, expect as never)
;(globalThis as unknown as Record<symbol, unknown>)[Symbol.for('expect-global')] = expect

const cases: Case[] = []
const path: string[] = []
let hooks: (() => unknown)[] = []

export function describe(name: string, body: () => void): void {
  const outer = hooks
  path.push(name)
  hooks = [...outer]
  body()
  path.pop()
  hooks = outer
}

export function afterEach(hook: () => unknown): void {
  hooks.push(hook)
}

export const test = Object.assign(
  (name: string, body: Body) => {
    cases.push({ name: [...path, name].join(' > '), body: body as () => unknown, after: hooks })
  },
  {
    each: (rows: readonly unknown[]) => (name: string, body: Body) => {
      for (const [index, row] of rows.entries()) {
        const args = Array.isArray(row) ? row : [row]
        test(`${name} (${index})`, () => (body as (...args: unknown[]) => unknown)(...args))
      }
    },
  },
)

export async function runAll(): Promise<Result[]> {
  const results: Result[] = []
  for (const { name, body, after } of cases) {
    let failure = ''
    try {
      await limited(Promise.resolve().then(body))
    } catch (error) {
      failure = String((error as Error)?.stack ?? error)
    }
    for (const hook of after) await hook()
    results.push({ name, failure })
  }
  return results
}

function limited(work: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not over after ${LIMIT} ms`)), LIMIT)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
