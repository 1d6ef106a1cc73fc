// How fast the laboratory in the browser is, by the trace of the browser itself: first paint and
// interactive from disk, frames with 500 packets on the wires, 1000 nodes, memory of a million events.
//
//   npm run build && npm run page && npm run bench:page -- [--json] [--rounds N] [--only PART,…]
//
// Parts: sizes, opening, moving, large, long.
//
// Needs Chromium (/usr/bin/chromium, or CHROMIUM) and the packages of page/. All is on loopback. A
// machine that does something else meanwhile shows other figures: run it alone.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { BUSY, LARGE, LONG } from './scenarios.mjs'
import { frames, longestTask, memory, percentile, since, traced } from './trace.mjs'

const root = join(import.meta.dirname, '..', '..')
const page = join(root, 'page')
const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const json = process.argv.includes('--json')
const given = (option) => (process.argv.includes(option) ? process.argv[process.argv.indexOf(option) + 1] : undefined)
const rounds = Number(given('--rounds') ?? 5)
const parts = { sizes, opening, moving, large, long }
const wanted = given('--only')?.split(',') ?? Object.keys(parts)
for (const name of wanted)
  if (!Object.hasOwn(parts, name)) fail(`there is no part '${name}': --only takes ${Object.keys(parts).join(', ')}`)
if (!Number.isInteger(rounds) || rounds < 1) fail('--rounds takes a whole number from 1')
for (const [path, remedy] of [
  [join(page, 'dist', 'index.html'), 'npm run page'],
  [join(page, 'node_modules', 'playwright-core'), 'npm ci --prefix page'],
  [join(root, 'dist', 'cli.js'), 'npm run build'],
  [chromiumPath, "Debian's package chromium, or CHROMIUM with the path of one"],
])
  if (!existsSync(path)) fail(`${path} is not there: it comes from ${remedy}`)

function fail(why) {
  console.error(`bench/page: ${why}`)
  process.exit(2)
}

const CALM = {
  includedCategories: ['loading', 'blink.user_timing', 'disabled-by-default-devtools.timeline', '__metadata'],
}
const MOVING = { includedCategories: ['devtools.timeline', '__metadata'] }
const MEMORY = {
  includedCategories: ['disabled-by-default-memory-infra', '__metadata'],
  excludedCategories: ['*'],
  memoryDumpConfig: { triggers: [{ mode: 'light', periodic_interval_ms: 250 }] },
}
/** Pixels of the drawing, whose canvas is the largest thing that changes. */
const DRAWING = [1050, 350]
const READY = 'html[data-ready=true]'
const PATIENCE = { state: 'attached' }

const server = spawn(process.execPath, [join(root, 'dist', 'cli.js'), 'page', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const { chromium } = createRequire(join(page, 'package.json'))('playwright-core')
let browser
try {
  const [chunk] = await once(server.stdout, 'data')
  const url = `${chunk}`.trim()
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  browser = await chromium.launch({ executablePath: chromiumPath, args })
  const cdp = await browser.newBrowserCDPSession()
  const rows = []
  for (const name of wanted) {
    const found = await parts[name](cdp, url)
    rows.push(...found)
    if (!json) print(found)
  }
  if (json) console.log(JSON.stringify(rows))
} finally {
  await browser?.close()
  server.kill('SIGTERM')
}

/** A link to a scenario, as `share` writes it. */
function linkTo(text, rest = {}) {
  return `#s=1.${deflateRawSync(JSON.stringify({ text, ...rest })).toString('base64url')}`
}

async function opened(work, reducedMotion = 'reduce') {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion })
  try {
    // A busy machine is slow, and says so in the figures.
    context.setDefaultTimeout(300_000)
    return await work(await context.newPage())
  } finally {
    await context.close()
  }
}

function sizes() {
  const folder = join(page, 'dist', 'assets')
  const code = readdirSync(folder).filter((name) => /\.(js|css)$/.test(name))
  const size = (name) => gzipSync(readFileSync(join(folder, name))).length / 1000
  const engine = code.find((name) => name.startsWith('main-'))
  return [
    row(
      'all code, gzip',
      code.reduce((sum, name) => sum + size(name), 0),
      'kB',
      '< 400',
    ),
    row('engine, gzip', size(engine), 'kB', '< 110'),
  ]
}

/** The first lab from disk, each time in a profile that has nothing. */
async function opening(cdp, url) {
  const found = { 'first paint': [], 'first paint of content': [], interactive: [] }
  for (let round = 0; round < rounds; round++)
    await opened(async (tab) => {
      const events = await traced(cdp, CALM, async () => {
        await tab.goto(url)
        await tab.waitForSelector(READY, PATIENCE)
      })
      found['first paint'].push(since(events, 'firstPaint'))
      found['first paint of content'].push(since(events, 'firstContentfulPaint'))
      found.interactive.push(since(events, 'interactive'))
    })
  const limits = { interactive: '< 1500' }
  return Object.entries(found).map(([name, values]) =>
    row(`${name}, median of ${rounds}`, percentile(values, 0.5), 'ms', limits[name] ?? '< 1000'),
  )
}

/** What the machine gives: an empty page that paints one rectangle into a canvas as large. */
async function ceiling(cdp) {
  return opened(async (tab) => {
    await tab.setContent(`<canvas width="${DRAWING[0]}" height="${DRAWING[1]}"></canvas>`)
    const events = await traced(cdp, MOVING, () =>
      tab.evaluate(async () => {
        const canvas = document.querySelector('canvas')
        const context = canvas.getContext('2d')
        const end = performance.now() + 3000
        for (let now = 0; now < end; ) {
          now = await new Promise((resolve) => requestAnimationFrame(resolve))
          context.clearRect(0, 0, canvas.width, canvas.height)
          context.fillRect(now % canvas.width, 100, 40, 9)
        }
      }),
    )
    return meanOf(frames(events).apart)
  }, 'no-preference')
}

function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Five seconds of playing, 100 ms of simulated time each. */
async function moving(cdp, url) {
  const possible = await ceiling(cdp)
  return opened(async (tab) => {
    await tab.goto(url + linkTo(BUSY, { time: 150 }))
    await tab.waitForSelector(READY, PATIENCE)
    await tab.selectOption('.timebar select', '100')
    await tab.locator('h1').click()
    const events = await traced(cdp, MOVING, async () => {
      await tab.keyboard.press('Space')
      await tab.waitForTimeout(5000)
      await tab.keyboard.press('Space')
    })
    const { apart, work } = frames(events)
    const late = apart.filter((span) => span > 25).length
    return [
      row('50 nodes, 530 packets on wires: frames', 1000 / meanOf(apart), 'a second', '≥ 60'),
      row('  what the machine gives an empty page', 1000 / possible, 'a second', ''),
      row('  between frames, p50', percentile(apart, 0.5), 'ms', '16.7'),
      row('  between frames, p99', percentile(apart, 0.99), 'ms', ''),
      row('  frames that come late (> 25 ms)', (100 * late) / apart.length, '%', ''),
      row("  the page's work for a frame, p50", percentile(work, 0.5), 'ms', ''),
      row("  the page's work for a frame, p99", percentile(work, 0.99), 'ms', '< 16.7'),
      ...histogram(apart),
    ]
  }, 'no-preference')
}

function histogram(apart) {
  const edges = [0, 12, 18, 25, 34, 50, Number.POSITIVE_INFINITY]
  return edges.slice(1).map((to, index) => {
    const from = edges[index]
    const name =
      to === Number.POSITIVE_INFINITY ? `  frames ${from} ms and more apart` : `  frames ${from} to ${to} ms apart`
    return row(name, apart.filter((span) => span >= from && span < to).length, '', '')
  })
}

async function large(cdp, url) {
  return opened(async (tab) => {
    const events = await traced(cdp, CALM, async () => {
      await tab.goto(url + linkTo(LARGE))
      await tab.waitForSelector(READY, PATIENCE)
    })
    const nodes = await tab.locator('[data-node]').count()
    const begun = performance.now()
    await tab.locator('.timebar .run input').first().fill('7')
    await tab.keyboard.press('Enter')
    await tab.waitForSelector('.running', { timeout: 60_000 }).catch(() => {})
    await tab.waitForSelector('.running', { state: 'detached' })
    const again = performance.now() - begun
    await tab.keyboard.press('End')
    return [
      row('1000 nodes: drawn', nodes, 'nodes', '1000'),
      row('  loaded and run', since(events, 'interactive'), 'ms', ''),
      row('  run anew after a change', again, 'ms', ''),
      row('  the longest task of the page itself', longestTask(events), 'ms', ''),
    ]
  })
}

/** The memory of the page and its worker: one process. Before is the first lab. */
async function long(cdp, url) {
  return opened(async (tab) => {
    await tab.goto(url)
    await tab.waitForSelector(READY, PATIENCE)
    let changed = 0
    let took = 0
    const events = await traced(cdp, MEMORY, async () => {
      await tab.waitForTimeout(1000)
      changed = performance.now()
      await tab.goto(url + linkTo(LONG))
      await tab.waitForFunction(() => /\d/.test(document.querySelector('.flows, .ladder')?.textContent ?? ''), null, {
        timeout: 300_000,
      })
      await tab.waitForSelector('.running', { timeout: 5000 }).catch(() => {})
      await tab.waitForSelector('.running', { state: 'detached' })
      took = performance.now() - changed
      await tab.waitForTimeout(1500)
    })
    await tab.click('#tab-log')
    const lines = Number((await tab.textContent('.log .bar .muted')).replace(/\D/g, ''))
    const MB = ({ bytes }) => bytes / 1e6
    // The process of the page is the one that grows most.
    const [values] = [...memory(events).values()].sort((a, b) => growth(b) - growth(a))
    if (values === undefined) throw new Error('bench/page: the trace has no memory of processes')
    return [
      row('a run of a million: events', lines, '', '≥ 1000000'),
      row('  run and shown after', took, 'ms', ''),
      row('  private memory before', MB(values[0]), 'MB', ''),
      row('  at most', Math.max(...values.map(MB)), 'MB', '< 300'),
      row('  afterwards', MB(values.at(-1)), 'MB', '< 300'),
    ]
  })
}

function growth(values) {
  return Math.max(...values.map(({ bytes }) => bytes)) - values[0].bytes
}

function row(what, value, unit, goal) {
  return { what, value: value === null ? null : Number(value.toFixed(value >= 100 ? 0 : 1)), unit, goal }
}

function print(rows) {
  for (const { what, value, unit, goal } of rows)
    console.log(`${what.padEnd(42)}${`${value ?? 'unknown'} ${unit}`.padStart(15)}   ${goal}`.trimEnd())
}
