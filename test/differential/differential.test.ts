import { afterAll, expect, test } from 'vitest'
import { describeOnTun } from '../tun/namespace.ts'
import { cases } from './cases.ts'
import { difference } from './compare.ts'
import { type Listed, listed } from './listed.ts'
import { makeHosts } from './world.ts'

describeOnTun('the kernel and the stack treat alike', () => {
  const { kernel, stack } = makeHosts()
  const seen = new Set<Listed>()
  afterAll(() => {
    kernel.close()
    stack.close()
  })

  for (const [name, packets] of cases) {
    test(name, () => {
      const found = difference(kernel, stack, packets, seen)
      if (found !== '') expect.fail(found)
    })
  }

  for (const each of listed) {
    test(`but: ${each.what} (${each.why})`, () => {
      expect(seen.has(each)).toBe(true)
    })
  }
})
