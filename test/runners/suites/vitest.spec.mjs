import { test } from 'vitest'
import { withNetwork } from '../../../dist/testing.js'
import { answers, fails, options } from '../bodies.mjs'

test('gets an answer', withNetwork(options, answers))
test('fails on purpose', withNetwork(options, fails))

// Its contexts are taken from the parameters that a test has.
const withFixture = test.extend({ something: 1 })
withFixture('gets an answer with fixtures', withNetwork(options, answers))
