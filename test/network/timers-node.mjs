// Run by timers.test.ts with node:test, on the compiled package: mock timers of node:test beside
// the network's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const { Network } = await import(`${process.env.COMPILED}/network-node.js`)

test('the network runs while mocked timers stand still', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })
  const network = new Network({ seed: 1 })
  let fake = 0
  setTimeout(() => fake++, 1000)
  await network.runFor('10s')
  assert.deepEqual([network.now, fake], [10_000, 0])
  t.mock.timers.tick(1000)
  assert.equal(fake, 1)
  network.close()
})

test('installed timers go on top of mocked ones, and come off', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const theirs = setTimeout
  const network = new Network({ seed: 1 })
  const restore = network.installTimers()
  let ran = 0
  setTimeout(() => ran++, 1000)
  await network.run()
  assert.deepEqual([ran, network.now], [1, 1000])
  restore()
  assert.equal(setTimeout, theirs)
  network.close()
})

test('mocked timers may go first', async (t) => {
  const real = setTimeout
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const network = new Network({ seed: 1 })
  const restore = network.installTimers()
  t.mock.timers.reset()
  restore()
  assert.equal(setTimeout, real)
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(Date.now() > Date.UTC(2020, 0, 1))
  network.close()
})

test('names imported before follow the network, beside mocked timers too', async (t) => {
  const real = sleep
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const network = new Network({ seed: 1 })
  const restore = network.installTimers()
  assert.equal(await network.run(sleep(3000, 'slept')), 'slept')
  assert.equal(network.now, 3000)
  restore()
  t.mock.timers.reset()
  assert.equal(sleep, real)
  await sleep(5)
  network.close()
})
