/** The drawing of a report's network: all of it is there, nothing lies on anything else. */
import { describe, expect, test } from 'vitest'
import type { Drawing } from '../../src/cli/report/report-data.ts'
import { type Topology, topologyOf } from '../../src/cli/report/topology.ts'
import { buildScenario, checkScenario } from '../../src/network/scenario/scenario.ts'
import { drawingOf } from '../src/report/drawing.ts'

interface Box {
  readonly name: string
  readonly x: readonly [number, number]
  readonly y: readonly [number, number]
}

function topology(text: object): Topology {
  const scenario = checkScenario(text)
  const network = buildScenario(scenario)
  try {
    return topologyOf(scenario, network)
  } finally {
    network.close()
  }
}

function drawn(text: object, first: string): { drawing: Drawing; boxes: Box[] } {
  const all = topology(text)
  const drawing = drawingOf(all, first) as Drawing
  const box = (name: string, [x, y]: readonly [number, number], width: number, above: number, below: number): Box => ({
    name,
    x: [x - width / 2, x + width / 2],
    y: [y - above, y + below],
  })
  const nodes = all.nodes.map(({ name }, index) => box(name, drawing.nodes[index] as [number, number], 84, 17, 30))
  const words = all.cables.flatMap(({ name }, index) => {
    const { at, lines } = drawing.cables[index] as Drawing['cables'][number]
    const height = 7 * lines.length
    return lines.length === 0
      ? []
      : [box(`words of ${name}`, at, 6 * Math.max(...lines.map((line) => line.text.length)), height, height)]
  })
  return { drawing, boxes: [...nodes, ...words] }
}

const overlaps = (boxes: readonly Box[]) =>
  boxes.flatMap((a, index) =>
    boxes
      .slice(index + 1)
      .filter((b) => a.x[0] < b.x[1] && b.x[0] < a.x[1] && a.y[0] < b.y[1] && b.y[0] < a.y[1])
      .map((b) => `${a.name} and ${b.name}`),
  )

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
const nulls = (all: readonly string[]) => Object.fromEntries(all.map((name) => [name, null]))

const three = {
  hosts: nulls(['a', 'b']),
  routers: nulls(['r']),
  links: [
    { between: ['a', 'r'] },
    { name: 'narrow', between: ['b', 'r'], mtu: 1400, delay: '5ms', back: { loss: 0.1 } },
  ],
}
const star = {
  hosts: nulls(names('host', 12)),
  switches: nulls(['lan']),
  links: names('host', 12).map((host, index) => ({ between: [host, 'lan'], delay: index + 1 })),
}
const chain = {
  hosts: nulls(['a', 'b']),
  routers: nulls(names('r', 12)),
  links: ['a', ...names('r', 12)].map((from, index) => ({ between: [from, [...names('r', 12), 'b'][index] ?? ''] })),
}
const campus = {
  hosts: nulls([...names('pc', 32), 'constructor', 'loose']),
  switches: nulls(names('floor', 4)),
  routers: { ...nulls(['core']), home: { nat: { outside: 'core' }, filter: { icmp: 0 } } },
  links: [
    ...names('pc', 32).map((pc, index) => ({
      between: [pc, `floor${1 + (index >> 3)}`],
      loss: index % 8 === 0 ? 0.01 : 0,
    })),
    ...names('floor', 4).map((floor) => ({ between: [floor, 'home'], rate: '1Gbit' })),
    { between: ['home', 'core'], mtu: 1492 },
    { between: ['core', 'home'], subnet: '192.0.2.0/24' },
    { between: ['core', 'constructor'], delay: '10ms', jitter: '2ms', corruption: 0.001 },
  ],
}

describe('a drawing', () => {
  test.each([
    ['3', three, 'a'],
    ['13', star, 'host1'],
    ['14, in a row', chain, 'a'],
    ['40', campus, 'pc1'],
  ])('of %s nodes has room for all, in whole pixels', (_, text, first) => {
    const { drawing, boxes } = drawn(text, first)
    expect(overlaps(boxes)).toEqual([])
    expect(boxes.filter(({ x, y }) => x[0] < 0 || y[0] < 0 || x[1] > drawing.width || y[1] > drawing.height)).toEqual(
      [],
    )
    // What is read at half of its size on a screen of 1280 pixels is not read.
    expect(drawing.width).toBeLessThan(2 * 1230)
    const numbers = JSON.stringify(drawing, (key, value) => (key === 'lines' ? [] : value)).match(/[\d.]+/g) ?? []
    expect(numbers.filter((each) => each.includes('.'))).toEqual([])
  })

  test('leads to the right, or downwards where that is too wide, and keeps the order of the file', () => {
    expect(drawn(three, 'a').drawing.rankdir).toBe('LR')
    expect(drawn(chain, 'a').drawing.rankdir).toBe('TB')
    const { drawing } = drawn(star, 'host1')
    const ys = drawing.nodes.slice(-11).map(([, y]) => y)
    expect(drawing.rankdir).toBe('LR')
    expect(ys).toEqual([...ys].sort((a, b) => a - b))
  })

  test('says at a cable what is not as at most of them, with the direction as it is drawn', () => {
    const { drawing } = drawn(three, 'a')
    expect(drawing.mtu).toBe(1500)
    expect(drawing.cables.map(({ lines }) => lines)).toEqual([
      [],
      [
        { text: 'narrow', mark: '' },
        { text: 'MTU 1400', mark: 'mtu' },
        { text: '5 ms', mark: '' },
        { text: '→ loss 10 %', mark: 'loses' },
      ],
    ])
    expect(topology(campus).nodes.find(({ name }) => name === 'home')?.does).toEqual([
      {
        mark: 'NAT',
        text: 'NAT to core: endpoint-independent mapping, address-and-port-dependent filtering',
      },
      { mark: 'filter', text: 'filter: no ICMP messages' },
    ])
  })

  test('is none of nothing, or of more nodes than can be seen', () => {
    expect(drawingOf({ nodes: [], cables: [] }, undefined)).toBe(null)
    expect(drawingOf(topology({ hosts: nulls(names('h', 201)) }), 'h1')).toBe(null)
    const { drawing, boxes } = drawn({ hosts: nulls(names('h', 200)) }, 'h1')
    expect(overlaps(boxes)).toEqual([])
    expect(drawing.width).toBeLessThan(1230)
  })
})
