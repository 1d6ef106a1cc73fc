import { expect, test } from 'vitest'
import { runScenario } from '../../../src/network/scenario/flow.ts'
import { checkScenario } from '../../../src/network/scenario/scenario.ts'

interface Part {
  hosts?: object
  links?: object[]
  flows?: object[]
  faults?: object
  seed?: number
}

/** When the flow `probe` sent and got each of its datagrams, with something added to the network. */
async function probe({ hosts = {}, links = [], flows = [], faults = {}, seed = 1 }: Part = {}): Promise<string[]> {
  const scenario = checkScenario({
    seed,
    hosts: { ...hosts, a: null, b: null, c: null },
    routers: { r: null, s: null },
    links: [
      ...links,
      { between: ['a', 'r'], medium: 'ethernet' },
      {
        between: ['r', 's'],
        keepOrder: false,
        loss: 0.2,
        corruption: { bitErrorRate: 1e-5 },
        delay: { normal: { mean: '50ms', deviation: '10ms' } },
        ...faults,
      },
      { between: ['s', 'b'], medium: 'ethernet' },
      { between: ['c', 'r'] },
    ],
    flows: [
      ...flows,
      { name: 'probe', from: 'a', to: 'b', pattern: 'poisson', size: { uniform: [100, 3000] }, rate: 100, count: 300 },
    ],
  })
  const own = flows.length
  const lines: string[] = []
  await runScenario(scenario, {
    watch: {
      sent: (flow, number, time, length) => {
        if (flow === own) lines[number] = `${time} ${length}`
      },
      arrived: (flow, number, time) => {
        if (flow === own) lines[number] += ` ${time}`
      },
      ended() {},
    },
  })
  expect(lines.length).toBe(300)
  return lines
}

test('a flow meets the same chance whatever else is added', async () => {
  const alone = await probe()
  const lost = alone.filter((line) => line.split(' ').length === 2).length
  expect(lost).toBeGreaterThan(60)
  const other = { from: 'c', to: 'b', rate: 70, count: 200, size: 2000 }
  // Traffic in front of it in the list, over the same link, from the same host, and there and back.
  expect(await probe({ flows: [other] })).toEqual(alone)
  expect(
    await probe({
      flows: [
        { ...other, from: 'a' },
        { ...other, mode: 'echo' },
      ],
    }),
  ).toEqual(alone)
  // Hosts and links in front of the others.
  expect(await probe({ hosts: { z: null }, links: [{ between: ['z', 'r'], medium: 'ethernet', loss: 0.5 }] })).toEqual(
    alone,
  )
  expect(await probe({ seed: 2 })).not.toEqual(alone)
})

test('another fault changes no draw of those that are there', async () => {
  const times = (lines: string[]) => lines.map((line) => line.split(' ')[2])
  const plain = times(await probe())
  // Copies come when they come; an overtaking frame takes no time, and draws all the same.
  const more = times(await probe({ faults: { duplication: 0.1, reordering: { frames: [10, 20] } } }))
  expect(more.map((time) => time === undefined)).toEqual(plain.map((time) => time === undefined))
  expect(more.filter((time, at) => time !== plain[at]).length).toBeLessThan(60)
  // Without loss everything arrives, and what arrived before comes when it came.
  const whole = times(await probe({ faults: { loss: 0 } }))
  expect(whole.filter((time) => time !== undefined).length).toBeGreaterThan(250)
  for (const [at, time] of plain.entries()) if (time !== undefined) expect(whole[at]).toBe(time)
})

test('what is lost at a rate is also lost at a higher one: runs of a sweep share their chance', async () => {
  const lostAt = async (loss: number) => {
    const lines = await probe({ faults: { loss, corruption: 0 } })
    return new Set(lines.flatMap((line, at) => (line.split(' ').length === 2 ? [at] : [])))
  }
  const [few, many] = [await lostAt(0.02), await lostAt(0.1)]
  expect(few.size).toBeGreaterThan(0)
  expect(many.size).toBeGreaterThan(few.size)
  for (const each of few) expect(many.has(each)).toBe(true)
})
