/**
 * The report of sim: what the page says agrees with what the command says, and it needs nothing but
 * itself.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Life, lifeOf } from '../../src/cli/report/life.ts'
import type { Datagram } from '../../src/network/observe/datagram.ts'
import { type FlowResult, type HopResult, runScenario } from '../../src/network/scenario/flow.ts'
import { checkScenario } from '../../src/network/scenario/scenario.ts'
import { compile, start } from './program.ts'

let program: ReturnType<typeof compile>
beforeAll(() => {
  program = compile()
}, 60_000)
afterAll(() => program.remove())

const at = (name: string) => join(program.directory, name)
const page = (name: string) => readFileSync(at(name), 'utf8')
const run = (...args: string[]) => start(program.cli, args).end()

function file(text: string, name = 'lab.yaml'): string {
  writeFileSync(at(name), text)
  return at(name)
}

const LAB = `
name: Lab <img src="http://example.invalid/x"> & more
description: "</script><b>"
seed: 8
hosts: { a: , b: }
routers: { r: }
links:
  - { between: [a, r], delay: 5ms }
  - { name: "narrow<", between: [r, b], delay: 5ms, mtu: 1400, forward: { loss: 0.1, rate: 2Mbit } }
flows:
  - { name: "out <i>", from: a, to: b, size: 2000, rate: 100, count: 200, dontFragment: 'off' }
  - { name: and back, from: a, to: b, size: 100, rate: 100, count: 200, mode: echo }
  - { name: refused, from: a, to: b, ttl: 1, rate: 10, count: 5 }
`

/** The text of the cells of a table, by row; the first row is the head. */
function cells(markup: string): string[][] {
  return [...markup.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) => plain(cell)),
  )
}

function plain(markup: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
  return markup.replace(/<[^>]*>/g, '').replace(/&(\w+|#39);/g, (_, name: string) => entities[name] as string)
}

function table(text: string, id: string): string[][] {
  return cells(new RegExp(`<table id="${id}">(.*?)</table>`, 's').exec(text)?.[1] ?? '')
}

/** The numbers of a plot, by column. */
function plot(text: string, title: string): { x: string[]; columns: Record<string, number[]>; note: string } {
  const figure = [...text.matchAll(/<figure class="plot".*?<\/figure>/gs)]
    .map(([each]) => each)
    .find((each) => each.includes(`<h3>${title}</h3>`))
  if (figure === undefined) throw new Error(`no plot ${title}`)
  const [[, ...names] = [], ...rows] = cells(figure)
  const columns = Object.fromEntries(names.map((name, index) => [name, rows.map((row) => Number(row[index + 1]))]))
  return { x: rows.map(([x = '']) => x), columns, note: plain(/<p class="note">(.*?)<\/p>/.exec(figure)?.[1] ?? '') }
}

const sum = (values: readonly number[] = []) => values.reduce((total, each) => total + each, 0)
const withoutScript = (text: string) => text.replace(/<script>.*?<\/script>/s, '')

describe('the page of a run', () => {
  let text = ''
  let flows: FlowResult[] = []
  let hops: HopResult[] = []
  beforeAll(async () => {
    const { code, stdout, stderr } = await run('sim', file(LAB), '--json', '--report', at('lab.html'))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    ;({ flows, hops } = JSON.parse(stdout))
    text = page('lab.html')
  }, 30_000)

  test('the tables of a run have the numbers of --json', () => {
    const [head = [], ...rows] = table(text, 'flows')
    const three = (value: number | undefined) => (value === undefined ? '–' : `${Number(value.toFixed(3))}`)
    expect(rows).toHaveLength(3)
    for (const [index, flow] of flows.entries()) {
      const { latency } = flow
      expect(Object.fromEntries(head.map((name, column) => [name, rows[index]?.[column]]))).toEqual({
        flow: flow.name,
        way: `a > b${flow.mode === 'echo' ? ' and back' : ''}`,
        sent: `${flow.sent}`,
        received: `${flow.received}`,
        lost: `${flow.lost}`,
        'lost %': three((100 * flow.lost) / flow.sent),
        duplicated: `${flow.duplicated}`,
        reordered: `${flow.reordered}`,
        'kbit/s': three(flow.throughput / 1000),
        'min ms': three(latency?.min),
        'mean ms': three(latency?.mean),
        'p50 ms': three(latency?.p50),
        'p90 ms': three(latency?.p90),
        'p99 ms': three(latency?.p99),
        'max ms': three(latency?.max),
        fragments: `${flow.fragments}`,
        'not sent': '–',
        'ICMP caused':
          Object.entries(flow.icmp)
            .map(([name, count]) => `${name} ${count}`)
            .join(', ') || '–',
      })
    }
    expect(flows[2]?.icmp).not.toEqual({})
    const drops = flows.flatMap(({ name, drops }) =>
      drops.map((drop) => [name, drop.nic ? `${drop.node}.${drop.nic}` : drop.node, drop.reason, `${drop.count}`]),
    )
    expect(table(text, 'drops').slice(1)).toEqual(drops)
    expect(drops.length).toBeGreaterThan(2)
  })

  test('the plots of a run add up to the table', () => {
    const losses = plot(text, 'Losses')
    expect(flows.map(({ name }) => sum(losses.columns[name]))).toEqual(flows.map(({ lost }) => lost))
    const { columns, note, x } = plot(text, 'Throughput')
    const width = Number(/bins of ([\d.]+) ms/.exec(note)?.[1])
    expect(Number(x[1]) - Number(x[0])).toBeCloseTo(width / 1000, 9)
    for (const { name, received, sent } of flows) {
      const size = { 'out <i>': 2000, 'and back': 100, refused: 1000 }[name] as number
      // kbit/s over milliseconds are bits.
      expect(sum(columns[name]) * width).toBeCloseTo(received * size * 8, -2)
      expect(sum(columns[`${name}, sent`]) * width).toBeCloseTo(sent * size * 8, -2)
    }
    const latency = plot(text, 'Latency')
    expect(Math.max(...(latency.columns['and back, most'] ?? []))).toBeCloseTo(flows[1]?.latency?.max ?? 0, 2)
    expect(Math.max(...(plot(text, 'Queues').columns['r.eth1'] ?? []))).toBeGreaterThan(1)
  })

  test('the page of a run says what was run, and escapes all text', () => {
    const facts = [...text.matchAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g)].map(([, term, value]) => [term, value])
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(Object.fromEntries(facts)).toMatchObject({ scenario: 'lab.yaml', seed: '8', tungram: version })
    expect(text).toContain('<h1>Lab &lt;img src=&quot;http://example.invalid/x&quot;> &amp; more</h1>')
    expect(text).toContain('<p>&lt;/script>&lt;b></p>')
    expect(text).not.toMatch(/<img|<i>|narrow<,/)
    expect(text.match(/<script/g)).toHaveLength(1)
    expect(text.match(/<\/script/g)).toHaveLength(1)
    expect(withoutScript(text)).not.toContain('interrupted"')
  })

  test('the table of queues has the numbers of --json, of the cables before which frames waited', () => {
    const [head = [], ...rows] = table(text, 'hops')
    const { offered, sent, utilization, queue, drops } = hops.find(({ to }) => to === 'b') as HopResult
    const three = (value = Number.NaN) => `${Number(value.toFixed(3))}`
    expect(rows).toHaveLength(1)
    expect(Object.fromEntries(head.slice(0, 9).map((name, column) => [name, rows[0]?.[column]]))).toEqual({
      cable: 'narrow<',
      way: 'r > b',
      frames: `${offered.frames}`,
      sent: `${sent.frames}`,
      bytes: `${sent.bytes}`,
      'busy %': three(100 * (utilization ?? Number.NaN)),
      'queue mean': three(queue?.length.mean),
      p99: three(queue?.length.p99),
      max: three(queue?.length.max),
    })
    const { mean, p99, max } = queue?.wait ?? {}
    expect(rows[0]?.slice(9)).toEqual([three(mean), three(p99), three(max), `WireLoss ${drops.WireLoss}`, '0'])
  })

  test('the page of a run says what to see first', () => {
    const [, sentence = ''] = /<p class="see">(.*?)<\/p>/.exec(text) ?? []
    const [sent, received] = [sum(flows.map((flow) => flow.sent)), sum(flows.map((flow) => flow.received))]
    expect(plain(sentence)).toMatch(
      new RegExp(
        `^${received} of ${sent} datagrams arrived\\. Most was dropped at r\\.eth1: WireLoss, \\d+ packets of out <i>`,
      ),
    )
    const figures = text.match(/<figure class="plot".*?<\/figure>/gs) ?? []
    expect(figures.filter((each) => !/<p class="see">[^<]+\.<\/p>/.test(each))).toEqual([])
  })

  test('the page of a run asks for nothing from anywhere', () => {
    const markup = withoutScript(text)
    const tags = markup.match(/<[a-z][^>]*>/g) ?? []
    expect(tags.length).toBeGreaterThan(500)
    expect(
      tags.filter((tag) => /\s(src|href|srcset|action|data|on\w+)\s*=|^<(link|iframe|object|base)/.test(tag)),
    ).toEqual([])
    expect(markup).not.toMatch(/@import|url\(/)
    expect(markup).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"`)
    const script = /<script>(.*?)<\/script>/s.exec(text)?.[1] ?? ''
    expect(script).not.toMatch(/\bfetch\(|XMLHttpRequest|\bimport\(|WebSocket|sendBeacon/)
    expect(() => new Script(script)).not.toThrow()
  })

  test('the topology has nodes, and cables with what they do', () => {
    const drawing = /<svg class="topology".*?<\/svg>/s.exec(text)?.[0] ?? ''
    const words = [...drawing.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map(([, word = '']) => plain(word))
    expect(words).toEqual(
      expect.arrayContaining(['a', 'r', 'b', '10.0.0.1', '5 ms', 'narrow<', 'MTU 1400', '→ 2 Mbit/s', '→ loss 10 %']),
    )
    expect(words).not.toContain('MTU 1500')
    expect(text).toContain('MTU 1500 where no other is given')
    expect(drawing.match(/class="wire loses"/g)).toHaveLength(1)
    expect(drawing.match(/class="wire"/g)).toHaveLength(1)
    const title = plain(/<g class="cable" data-cable="1"><title[^>]*>(.*?)<\/title>/s.exec(drawing)?.[1] ?? '')
    expect(title).toBe('narrow<: MTU 1400\nr to b: 5 ms, 2 Mbit/s, loss 10 %\nb to r: 5 ms')
    expect(drawing.match(/ (x|y|d|width|height|transform)="[^"]*\d\.\d[^"]*"/g) ?? []).toEqual([])
  })

  test('the ladder shows fragments, drops with their reasons, and answers', () => {
    const ladder = /<svg width[^>]* aria-label="Packet ladder">.*?<\/svg>/s.exec(text)?.[0] ?? ''
    const titles = [...ladder.matchAll(/<title>(.*?)<\/title>/gs)].map(([, each = '']) => plain(each).split('\n'))
    const labels = titles.map(([label = '']) => label)
    // Cut by the sender, and the first piece again by the router.
    expect(labels.slice(0, 2)).toEqual(['#1 frag 0–1479 · ttl 64', '#1 frag 1480–2007, the last · ttl 64'])
    expect(labels.filter((each) => /^#1 frag (0–1375|1376–1479)/.test(each))).toEqual([
      '#1 frag 0–1375 · ttl 63',
      '#1 frag 1376–1479 · ttl 63 · waits',
    ])
    expect(titles[0]).toEqual([
      '#1 frag 0–1479 · ttl 64',
      expect.stringMatching(/^UDP: 10\.0\.0\.1:\d+ > 10\.0\.1\.2:\d+$/),
      expect.stringMatching(/^1500 bytes, TTL 64, identification \d+$/),
      'leaves a.eth0 at 0.000 ms',
      'arrives at r at 5.000 ms',
    ])
    expect(ladder).toMatch(/class="arrow fragment"/)
    expect(titles.map(([, what]) => what)).toContainEqual('ICMP time exceeded in transit: 10.0.0.2 > 10.0.0.1')
    const drops = [...ladder.matchAll(/<g class="drop">.*?<text[^>]*>(.*?)<\/text>/g)].map(([, word]) => word)
    expect(drops).toContain('WireLoss')
    expect(drops).toContain('IpHopLimitExceeded')
    const names = /<div class="names".*?<\/div>/s.exec(text)?.[0] ?? ''
    expect([...names.matchAll(/<span[^>]*>(.*?)<\/span>/g)].map(([, word]) => word)).toEqual(['a', 'r', 'b'])
  })

  test('the ladder says what it leaves out, and shows an example of drops that come later', async () => {
    const [, shown, datagrams, left, others] =
      /The first (\d+) packets, of (\d+) datagrams; (\d+) more of (\d+) datagrams/.exec(text) ?? []
    expect(Number(shown)).toBeGreaterThanOrEqual(100)
    expect(Number(shown)).toBeLessThan(110)
    await run('sim', at('lab.yaml'), '--report', at('short.html'), '--ladder', '10')
    const short = page('short.html')
    const [, fewer, few, more, rest] =
      /The first (\d+) packets, of (\d+) datagrams; (\d+) more of (\d+) datagrams/.exec(short) ?? []
    expect(Number(fewer)).toBeLessThan(20)
    expect(Number(fewer) + Number(more)).toBe(Number(shown) + Number(left))
    expect(Number(few) + Number(rest)).toBe(Number(datagrams) + Number(others))
    expect(short).toMatch(/<h4>[^<]*WireLoss at r\.eth1[^<]*FragmentTimeout at b[^<]*<\/h4>/)
    await run('sim', at('lab.yaml'), '--report', at('none.html'), '--ladder', '0')
    expect(withoutScript(page('none.html'))).not.toContain('Packet ladder')
  })

  test('the same seed gives the same page, another seed another', async () => {
    await run('sim', at('lab.yaml'), '--report', at('again.html'))
    expect(page('again.html')).toBe(text)
    await run('sim', at('lab.yaml'), '--report', at('other.html'), '--seed', 'other')
    expect(page('other.html')).not.toBe(text)
  })

  test('the run itself is the same with a report and without', async () => {
    const { stdout } = await run('sim', at('lab.yaml'), '--json')
    expect(JSON.parse(stdout).flows).toEqual(flows)
  })
})

describe('the page of a sweep', () => {
  test('the table of a sweep has the numbers of --json, and its plots each measure against the parameter', async () => {
    const args = ['--sweep', 'links.1.mtu=600,1400', '--sweep', 'loss=1%,5%,20%', '--repeat', '3']
    const { code, stdout } = await run('sim', file(LAB), ...args, '--json', '--report', at('sweep.html'))
    expect(code).toBe(0)
    const { points } = JSON.parse(stdout)
    const text = page('sweep.html')
    const [head = [], ...rows] = table(text, 'results')
    expect(rows).toHaveLength(6 * 3)
    const column = (name: string) => rows.map((row) => row[head.indexOf(name)])
    type Measures = Record<string, { mean: number; halfWidth: number; low: number; high: number }>
    const all: { parameters: Record<string, number | string>; name: string; measures: Measures }[] = points.flatMap(
      ({ parameters, flows }: { parameters: object; flows: object[] }) =>
        flows.map((flow) => ({ parameters, ...flow })),
    )
    expect(column('loss')).toEqual(all.map(({ parameters }) => parameters.loss))
    expect(column('flow')).toEqual(all.map(({ name }) => name))
    const three = (value: number) => `${Number(value.toFixed(3))}`
    const percent = all.map(({ measures: { lossRate } }) => {
      const { mean = 0, low = 0, high = 0 } = lossRate ?? {}
      return `${three(mean * 100)} [${three(low * 100)}, ${three(high * 100)}]`
    })
    expect(column('lost %')).toEqual(percent)

    const loss = plot(text, 'Loss')
    expect(loss.x).toEqual(['1%', '5%', '20%'])
    expect(loss.note).toContain('95 % confidence')
    const line = loss.columns['out <i>, links.1.mtu 600']
    const expected = all.filter(({ name, parameters }) => name === 'out <i>' && parameters['links.1.mtu'] === 600)
    for (const [index, { measures }] of expected.entries())
      expect(line?.[index]).toBeCloseTo((measures.lossRate?.mean ?? 0) * 100, 2)
    // The bars are the intervals of the table, which are not symmetric.
    for (const [label, end] of [
      ['least', 'low'],
      ['most', 'high'],
    ] as const)
      for (const [index, { measures }] of expected.entries())
        expect(loss.columns[`out <i>, links.1.mtu 600, ${label}`]?.[index]).toBeCloseTo(
          (measures.lossRate?.[end] ?? Number.NaN) * 100,
          2,
        )
    const [hopHead = [], ...hopRows] = table(text, 'hop-results')
    type Hop = { parameters: Record<string, unknown>; from: string; to: string; measures: Measures }
    const hops: Hop[] = points.flatMap(({ parameters, hops }: { parameters: object; hops: object[] }) =>
      hops.map((hop) => ({ parameters, ...hop })),
    )
    // Only this one has a rate.
    const narrow = hops.filter(({ from, to }) => from === 'r' && to === 'b')
    expect(narrow).toHaveLength(6)
    expect(hopRows.map((row) => row.slice(0, 4))).toEqual(
      narrow.map(({ parameters }) => [`${parameters['links.1.mtu']}`, parameters.loss, 'narrow<', 'r > b']),
    )
    const dropped = narrow.map(({ measures }) => {
      const { mean = 0, low = 0, high = 0 } = measures.dropped ?? {}
      return low === high ? three(mean) : `${three(mean)} [${three(low)}, ${three(high)}]`
    })
    expect(hopRows.map((row) => row[hopHead.indexOf('dropped')])).toEqual(dropped)
    expect(hopHead).not.toContain('marked')
    const waits = plot(text, 'Mean wait in a queue')
    for (const [index, { measures }] of narrow.filter(({ parameters }) => parameters['links.1.mtu'] === 600).entries())
      expect(waits.columns['narrow<: r > b, links.1.mtu 600']?.[index]).toBeCloseTo(measures.meanWait?.mean ?? 0, 2)
    expect(withoutScript(text)).toContain('the sweep changes links.1.mtu, loss')
    expect(() => plot(text, 'Duplicated')).toThrow()
    expect(withoutScript(text)).not.toContain('Packet ladder')
  }, 30_000)

  test('a range of numbers is an axis of numbers, and many lines are a plot for each flow', async () => {
    const path = file(LAB)
    await run(
      'sim',
      path,
      '--sweep',
      'size=500..2500:1000',
      '--sweep',
      'links.1.forward.loss=0,0.1,0.2',
      '--report',
      at('flows.html'),
    )
    const text = page('flows.html')
    expect(plot(text, 'Loss: and back')).toMatchObject({ x: ['500', '1500', '2500'], note: 'single runs' })
    expect(Object.keys(plot(text, 'Loss: and back').columns)).toEqual(
      [0, 0.1, 0.2].map((loss) => `links.1.forward.loss ${loss}`),
    )
    expect(withoutScript(text)).not.toContain('data-at')
  }, 30_000)

  test('repetitions without a parameter are a table', async () => {
    await run('sim', file(LAB), '--repeat', '3', '--report', at('repeat.html'))
    const text = page('repeat.html')
    expect(table(text, 'results')).toHaveLength(4)
    expect(text).not.toContain('class="plot"')
  }, 30_000)
})

describe('the command', () => {
  const long = () => file(LAB.replaceAll('count: 200', 'stop: 1h').replaceAll('rate: 100', 'rate: 1000'), 'long.yaml')

  test('Ctrl-C writes the page of what there is', async () => {
    const sim = start(program.cli, ['sim', long(), '--json', '--report', at('cut.html')])
    await new Promise((resolve) => setTimeout(resolve, 8000))
    const { code, stdout } = await sim.end('SIGINT')
    expect(code).toBe(130)
    const { interrupted, flows } = JSON.parse(stdout)
    expect(interrupted).toBe(true)
    expect(withoutScript(page('cut.html'))).toContain('Interrupted')
    expect(table(page('cut.html'), 'flows')[1]?.[2]).toBe(`${flows[0].sent}`)
  }, 60_000)

  test('a place that cannot be written is told before the run', async () => {
    const path = long()
    const { code, stdout, stderr } = await run('sim', path, '--report', at('nowhere/out.html'))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/tungram sim: the report cannot be written: ENOENT.*nowhere\/out\.html/)
    mkdirSync(at('folder.html'))
    expect((await run('sim', path, '--report', at('folder.html'))).stderr).toContain(
      'the report cannot be written: EISDIR',
    )
  }, 30_000)

  test('what fails leaves no page, and the last one as it was', async () => {
    const failing = ['sim', file(LAB), '--sweep', 'colour=1,2', '--report']
    expect((await run(...failing, at('new.html'))).code).toBe(1)
    expect(existsSync(at('new.html'))).toBe(false)
    writeFileSync(at('old.html'), 'old')
    expect((await run(...failing, at('old.html'))).code).toBe(1)
    expect(page('old.html')).toBe('old')
  })

  test('a ladder without a report is wrong usage', async () => {
    expect(await run('sim', file(LAB), '--ladder', '5')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--ladder is for --report'),
    })
  })
})

describe('the life of a datagram', () => {
  test('the life of a datagram has an end for every frame, whatever the wires do', async () => {
    const scenario = checkScenario({
      hosts: { a: null, b: null },
      routers: { r: null },
      links: [
        {
          between: ['a', 'r'],
          delay: '1ms',
          rate: '2Mbit',
          queue: { tailDrop: { packets: 5 } },
          duplication: 0.1,
          corruption: 0.05,
        },
        {
          between: ['r', 'b'],
          delay: { uniform: ['1ms', '9ms'] },
          keepOrder: false,
          mtu: 1000,
          loss: 0.1,
          rate: '3Mbit',
        },
      ],
      flows: [{ from: 'a', to: 'b', size: 2500, rate: 90, count: 400, dontFragment: 'off' }],
    })
    const leads: Record<string, string[]> = { 'a eth0': ['r'], 'r eth0': ['a'], 'r eth1': ['b'], 'b eth0': ['r'] }
    const told: { datagram: Datagram; flow: number }[] = []
    const { flows } = await runScenario(scenario, {
      watch: { sent() {}, arrived() {}, ended: (datagram, flow) => told.push({ datagram, flow }) },
    })
    const lives = told.map(({ datagram, flow }) => ({
      ...lifeOf(datagram, (node, nic) => leads[`${node} ${nic}`] ?? []),
      flow,
    }))
    const hops = lives.flatMap((life) => life.hops)
    expect(hops.length).toBeGreaterThan(2000)
    expect(hops.filter(({ lost, arrivals }) => lost === null && arrivals.length === 0)).toEqual([])
    expect(hops.filter(({ arrivals, start }) => arrivals.some(({ time }) => time < start.time + 1))).toEqual([])
    expect(hops.some(({ arrivals }) => arrivals.length === 2)).toBe(true)
    expect(hops.some(({ queued, left, start }) => queued && left !== null && left > start.time)).toBe(true)
    expect(hops.some(({ corrupted }) => corrupted)).toBe(true)
    const counts = new Map<string, number>()
    for (const { flow, hops: own, drops } of lives)
      if (flow === 0)
        for (const { reason } of [...drops, ...own.flatMap(({ lost }) => lost ?? [])])
          counts.set(reason, (counts.get(reason) ?? 0) + 1)
    const expected = new Map<string, number>()
    for (const { reason, count } of flows[0]?.drops ?? []) expected.set(reason, (expected.get(reason) ?? 0) + count)
    expect(Object.fromEntries(counts)).toMatchObject(Object.fromEntries(expected))
  })

  test.each(['ip', 'ethernet'] as const)(
    'leads a frame whose header is no longer IP to where it is dropped (%s)',
    async (medium) => {
      const scenario = checkScenario({
        seed: 2,
        hosts: { a: null, b: null },
        ...(medium === 'ip' ? { routers: { m: null } } : { switches: { m: null } }),
        links: [
          { between: ['a', 'm'], delay: '1ms', rate: '1Mbit', mtu: 100, corruption: 0.5 },
          { between: ['m', 'b'], delay: '1ms', mtu: 100, duplication: 0.2, corruption: 0.5 },
        ],
        flows: [{ from: 'a', to: 'b', size: { uniform: [8, 200] }, rate: 50, count: 1500, dontFragment: 'off' }],
      })
      const leads: Record<string, string[]> = {
        'a eth0': ['m'],
        'b eth0': ['m'],
        'm eth0': ['a'],
        'm eth1': ['b'],
        'm port0': ['a'],
        'm port1': ['b'],
      }
      const lives: Life[] = []
      const ended = (datagram: Datagram) => lives.push(lifeOf(datagram, (node, nic) => leads[`${node} ${nic}`] ?? []))
      await runScenario(scenario, { watch: { sent() {}, arrived() {}, ended } })
      const hops = lives.flatMap((life) => life.hops)
      expect(hops.filter(({ lost, arrivals }) => lost === null && arrivals.length === 0)).toEqual([])
      // What is no IP packet is dropped within a node: where and when it arrived, damaged.
      const unreadable = lives.flatMap((life) =>
        life.drops.filter(({ reason }) => NO_IP.includes(reason)).map((drop) => ({ life, drop })),
      )
      expect(unreadable.length).toBeGreaterThan(5)
      // An error that b reports may be damaged on its way to a. A switch reads no IP.
      const nodes = new Set(unreadable.map(({ drop }) => drop.node))
      expect([...nodes].filter((node) => node !== 'a').sort()).toEqual(medium === 'ip' ? ['b', 'm'] : ['b'])
      for (const { life, drop } of unreadable) {
        const into = life.hops.filter(({ arrivals }) =>
          arrivals.some(({ node, time }) => node === drop.node && time === drop.time),
        )
        expect(into.some(({ corrupted }) => corrupted)).toBe(true)
      }
    },
  )
})

const NO_IP = ['IpVersion', 'FrameUnknownType', 'FrameVlanTagged', 'FrameTooShort']
