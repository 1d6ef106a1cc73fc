/** What the pages of docs/lab claim of published results, as their scenarios show it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readScenarioFile } from '../../src/cli/scenario-file.ts'
import { type FlowResult, runScenario } from '../../src/network/scenario/flow.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function flowsOf(name: string): Promise<[FlowResult, FlowResult, ...FlowResult[]]> {
  const { flows } = await runScenario(readScenarioFile(`${root}/examples/scenarios/${name}.yaml`))
  return flows as [FlowResult, FlowResult]
}

/** Whether a share is what is expected, within four standard errors. */
function expectShare(hits: number, trials: number, expected: number): void {
  expect(Math.abs(hits / trials - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / trials))
}

test('RFC 4963: in the next round of Identifications the checksum finds datagrams that were mixed up', async () => {
  const [first, next] = await flowsOf('identification-wrap')
  const drops = ({ drops }: FlowResult, reason: string) => drops.find((each) => each.reason === reason)?.count ?? 0
  const once = 1 - 0.99 ** 2
  expectShare(first.lost, first.sent, once)
  expect(drops(first, 'UdpChecksum')).toBe(0)
  // It is lost itself, or meets what another one has left behind.
  expectShare(next.lost, next.sent, 1 - (1 - once) ** 2)
  expectShare(drops(next, 'UdpChecksum'), next.sent, once)
  expect([first.corrupted, next.corrupted]).toEqual([0, 0])
}, 60_000)

test('Gilbert and Elliott: bursts of 1/r losses, and no more losses than p/(p+r)', async () => {
  const [bursts, independent] = await flowsOf('burst-losses')
  const share = 0.01 / 0.26
  expectShare(independent.lost, independent.sent, share)
  // Losses of one run go together: as many independent ones as there are runs, and each as long.
  const periods = bursts.lossPattern.periods
  expect(Math.abs(bursts.lost / bursts.sent / share - 1)).toBeLessThan(4 * Math.sqrt(2 / periods))
  expect(Math.abs((bursts.lossPattern.length?.mean ?? 0) - 4)).toBeLessThan((4 * Math.sqrt(12)) / Math.sqrt(periods))
  expect(independent.lossPattern.length?.mean).toBeCloseTo(1 / (1 - share), 1)
}, 60_000)

test('RFC 9000: 1280 bytes carry datagrams of 1200, over IPv6 up to 1232, over IPv4 up to 1252', async () => {
  const flows = await flowsOf('quic-tunnel')
  expect(flows.map(({ name, received, icmp }) => [name, received, Object.keys(icmp).length])).toEqual([
    ['1200 over IPv4', 100, 0],
    ['1200 over IPv6', 100, 0],
    ['1232 over IPv6', 100, 0],
    ['1252 over IPv4', 100, 0],
    ['1252 over IPv6', 0, 0],
    ['1350 over IPv4', 0, 0],
  ])
}, 60_000)

test('RFC 8900: over IPv6 the sender cuts, and each piece may be the one that is lost', async () => {
  const [whole, pieces] = await flowsOf('ipv6-fragments')
  expectShare(whole.lost, whole.sent, 0.02)
  expectShare(pieces.lost, pieces.sent, 1 - 0.98 ** 4)
  expect(pieces.fragments).toBe(4 * pieces.sent - 1)
  expect(pieces.drops.find(({ reason }) => reason === 'IpDontFragment')).toMatchObject({ node: 'r', count: 2 })
}, 60_000)

test('Ford 2005, RFC 5128: which types of NAT can be punched through, each against each', () => {
  const table = execFileSync(process.execPath, ['examples/hole-punching.mjs'], { cwd: root, encoding: 'utf8' })
  expect(readFileSync(`${root}/docs/lab/nat-hole-punching.md`, 'utf8')).toContain(table)
  const names = ['full cone', 'restricted', 'port-restricted', 'symmetric']
  const rows = names.map((name) => new RegExp(`^${name} +((?:(?:yes|no) *){4})$`, 'm').exec(table)?.[1]?.split(/ +/))
  // A symmetric NAT gives each peer a port of its own, which a filter by ports does not know.
  const byPort = (at: number) => at >= 2
  expect(rows).toEqual(
    names.map((_, a) => names.map((_, b) => ((a === 3 && byPort(b)) || (b === 3 && byPort(a)) ? 'no' : 'yes'))),
  )
}, 60_000)

test('birthdays: of 302 random Identifications two are the same in every second case, of a counter none', async () => {
  const scenario = readScenarioFile(`${root}/examples/scenarios/identification-birthday.yaml`)
  const arrived: Set<number>[] = [new Set(), new Set()]
  const { flows } = await runScenario(scenario, {
    watch: { sent() {}, arrived: (flow, number) => arrived[flow]?.add(number), ended() {} },
  })
  const [chance, counter] = flows as [FlowResult, FlowResult]
  const burst = 302
  const bursts = chance.sent / burst
  const isWhole = (at: number) =>
    Array.from({ length: burst }, (_, i) => at * burst + i).every((number) => arrived[0]?.has(number))
  const hit = Array.from({ length: bursts }, (_, at) => at).filter((at) => !isWhole(at)).length
  const none = Array.from({ length: burst }, (_, i) => 1 - i / 65536).reduce((all, each) => all * each)
  expect(none).toBeCloseTo(0.5, 2)
  expectShare(hit, bursts, 1 - none)
  // All but the first of those that share a number are lost.
  expectShare(chance.lost, chance.sent, 1 - (65536 * (1 - (1 - 1 / 65536) ** burst)) / burst)
  expect(chance.drops.find(({ reason }) => reason === 'FragmentDuplicate')?.count).toBe(chance.lost)
  expect(counter).toMatchObject({ lost: 0, drops: [] })
  const page = readFileSync(`${root}/docs/lab/identification-birthday.md`, 'utf8').replaceAll(/\s+/g, ' ')
  expect(page).toContain(`In the 50 bursts that happens ${chance.lost} times, in ${hit} of them`)
}, 60_000)
