import { withNetwork } from '../../../dist/testing.js'
import { answers, fails, options } from '../bodies.mjs'

it('gets an answer', withNetwork(options, answers))
it('fails on purpose', withNetwork(options, fails))
