/** After vitest's own summary: how many tests were skipped, and for want of what. */
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node'

const NONE = 'no reason given'

export default class SkipsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const reasons = new Map<string, string[]>()
    for (const module of modules)
      for (const each of module.children.allTests('skipped')) {
        const result = each.result()
        const reason = (result.state === 'skipped' ? result.note : undefined) ?? NONE
        // A part of a run (-t, .only) leaves out the others without a reason, and that is no skip.
        if (reason === NONE && each.project.config.testNamePattern !== undefined) continue
        // What a suite could not set up is a failure of the suite.
        if (hasFailedAbove(each)) continue
        reasons.set(reason, [...(reasons.get(reason) ?? []), `${module.relativeModuleId} > ${each.fullName}`])
      }
    process.stdout.write(skipsText(reasons))
  }
}

function hasFailedAbove({ parent }: TestCase): boolean {
  for (let at: TestSuite | TestModule = parent; ; at = at.parent) {
    if (at.errors().length > 0) return true
    if (at.type === 'module') return false
  }
}

/** The most frequent first; a reason that is none is told with its tests. */
export function skipsText(reasons: ReadonlyMap<string, readonly string[]>): string {
  if (reasons.size === 0) return ''
  const all = [...reasons].sort(([, a], [, b]) => b.length - a.length)
  const total = all.reduce((sum, [, tests]) => sum + tests.length, 0)
  const width = `${all[0]?.[1].length}`.length
  const lines = all.flatMap(([reason, tests]) => [
    `  ${`${tests.length}`.padStart(width)}  ${reason === NONE ? reason : `for want of ${reason}`}`,
    ...(reason === NONE ? tests.map((name) => `  ${' '.repeat(width)}    ${name}`) : []),
  ])
  return `\n${total} ${total === 1 ? 'test or suite' : 'tests and suites'} skipped:\n${lines.join('\n')}\n`
}
