import test from 'ava'
import { withNetwork } from '../../../dist/testing.js'
import { answers, fails, options } from '../bodies.mjs'

test('gets an answer', withNetwork(options, answers))
test('fails on purpose', withNetwork(options, fails))
