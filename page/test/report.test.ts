/** The report of `tungram sim` in Chromium: it is read from a file, by everybody, and by the keyboard alone. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launch, noBrowser, PAGE } from '../../test/chromium.ts'
import { describeWith } from '../../test/skips.ts'
import { REQUIRED } from './browser.ts'

const CLI = join(PAGE, '..', 'dist', 'cli.js')
// Two of the flows see the same, and one name is long.
const LAB = `
name: Twins
seed: 3
hosts: { a: , b: , c: }
routers: { r: , n: { nat: { outside: r-n } }, f: { filter: { block: [7000/udp] } } }
links:
  - { between: [a, r], delay: 5ms }
  - { name: narrow, between: [r, b], delay: 5ms, mtu: 1400, forward: { loss: 0.1, rate: 2Mbit } }
  - { name: r-n, between: [n, r], delay: 2ms }
  - { between: [f, n], delay: 1ms }
  - { between: [c, f], delay: 1ms }
flows:
  - { name: video, from: a, to: b, size: 2000, rate: 50, count: 50, dontFragment: 'off' }
  - { name: first twin, from: a, to: b, size: 100, rate: 50, count: 50, mode: echo }
  - { name: second twin, from: a, to: b, size: 100, rate: 50, count: 50, mode: echo }
  - { name: "behind a translator, with a long name", from: c, to: b, size: 100, rate: 50, count: 50, ttl: 3 }
`

describeWith(
  noBrowser === '',
  noBrowser,
  REQUIRED,
)('the report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tungram-report-'))
  const file = (name: string) => join(folder, name)
  let browser: Browser
  beforeAll(async () => {
    browser = await launch<Browser>()
    writeFileSync(file('lab.yaml'), LAB)
    execFileSync(process.execPath, [CLI, 'sim', file('lab.yaml'), '--report', file('run.html')])
    const sweep = ['--sweep', 'rate=1e5,1e6,1e7', '--repeat', '2', '--report', file('sweep.html')]
    execFileSync(process.execPath, [CLI, 'sim', file('lab.yaml'), ...sweep])
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true })
  })

  async function opened(name: string, scheme: 'light' | 'dark', options: object = {}): Promise<[Page, string[]]> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      colorScheme: scheme,
      ...options,
    })
    context.setDefaultTimeout(90_000)
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    page.on('request', (request) => request.url().startsWith('file:') || errors.push(request.url()))
    await page.goto(`file://${file(name)}`)
    return [page, errors]
  }

  test('axe finds nothing in it, in both themes, and nothing is wider than the screen', async () => {
    const axe = readFileSync(join(PAGE, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8')
    for (const [name, scheme, rules] of [
      ['run.html', 'light', ''],
      // A theme is colours alone.
      ['run.html', 'dark', "{ runOnly: ['color-contrast'] }"],
      ['sweep.html', 'dark', ''],
    ] as const) {
      const [page, errors] = await opened(name, scheme, { bypassCSP: true })
      await page.waitForSelector('html[data-ready=true]', { state: 'attached' })
      expect(await page.getAttribute('html', 'data-theme')).toBe(scheme)
      if (name === 'run.html') await page.locator('.arrow .grip').first().dispatchEvent('click')
      await page.evaluate(axe)
      expect(await page.evaluate(`axe.run(${rules}).then(({ violations }) => violations.map(({ id }) => id))`)).toEqual(
        [],
      )
      const wide = await page.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll('.drawing, .scroll:has(#flows), .scroll:has(#results)')]
          .filter((element) => element.scrollWidth > element.clientWidth)
          .map(({ className }) => className),
      )
      expect(wide).toEqual([])
      if (process.env.SHOTS)
        await page.screenshot({ path: `${process.env.SHOTS}/${name}-${scheme}.png`, fullPage: true })
      expect(errors).toEqual([])
      await page.context().close()
    }
  })

  test('the drawing of many nodes fits the screen, with marks at what translates, filters and loses', async () => {
    const hosts = Array.from({ length: 12 }, (_, index) => `h${index}`)
    const links = hosts.map((host) => `{ between: [${host}, lan] }`)
    writeFileSync(
      file('many.yaml'),
      `hosts: { ${hosts.map((host) => `${host}: `).join(', ')}, far: }
switches: { lan: }
routers: { ${[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `r${n}: `).join(', ')}, home: { nat: { outside: r1 }, filter: { icmpErrors: 0 } } }
links: [${links.join(', ')}, { between: [lan, home], loss: 1% }, { between: [home, r1], mtu: 1492 }, ${[
        1, 2, 3, 4, 5, 6, 7,
      ]
        .map((n) => `{ between: [r${n}, r${n + 1}], delay: ${n}ms }`)
        .join(', ')}, { between: [r8, far] }]
flows: [{ from: h0, to: far, count: 5 }]`,
    )
    execFileSync(process.execPath, [CLI, 'sim', file('many.yaml'), '--report', file('many.html')])
    const [page, errors] = await opened('many.html', 'light')
    await page.waitForSelector('html[data-ready=true]', { state: 'attached' })
    const outside = await page.evaluate(() => {
      const area = (document.querySelector('.drawing') as Element).getBoundingClientRect()
      return [...document.querySelectorAll('svg.topology .node, svg.topology text')]
        .map((element) => ({ text: element.textContent, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.left < area.left || box.right > area.right || box.top < area.top)
        .map(({ text }) => text)
    })
    expect(outside).toEqual([])
    expect(await page.locator('svg.topology .node').count()).toBe(23)
    expect(await page.locator('svg.topology text.mark').allTextContents()).toEqual(['NAT', 'filter'])
    expect(await page.locator('svg.topology .wire.loses').count()).toBe(1)
    expect(await page.locator('svg.topology .words .mtu').allTextContents()).toEqual(['MTU 1492'])
    if (process.env.SHOTS) await page.locator('.drawing').screenshot({ path: `${process.env.SHOTS}/many.png` })
    expect(errors).toEqual([])
    await page.context().close()
  })

  test('without scripts its tables, plots and ladder are there', async () => {
    const [page] = await opened('run.html', 'light', { javaScriptEnabled: false })
    expect(await page.locator('#flows tbody tr').count()).toBe(4)
    expect(await page.locator('.plot svg[role=img]').count()).toBe(await page.locator('.plot').count())
    expect(await page.locator('.arrow').count()).toBeGreaterThan(90)
    await page.context().close()
  })

  test('a plot has a cursor, a zoom and lines that can be hidden, by keys and by pointer', async () => {
    const [page, errors] = await opened('run.html', 'light')
    const plot = page.locator('.plot', { has: page.locator('h3:text-is("Throughput")') })
    const svg = plot.locator('svg[role=img]')
    await svg.focus()
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key)
    const rows = plot.locator('tbody tr')
    const third = await rows.nth(2).locator('th').textContent()
    expect(await plot.locator('.legend .at').textContent()).toBe(`time, s ${third}`)
    // All plots over time have the same cursor.
    expect(await page.locator('.legend .at').count()).toBe(await page.locator('.plot', { hasText: 'time, s' }).count())
    await page.keyboard.press('+')
    expect(await plot.locator('button:has-text("show all")').count()).toBe(1)
    await page.keyboard.press('Escape')
    expect(await plot.locator('button:has-text("show all")').count()).toBe(0)
    const box = (await svg.boundingBox()) as { x: number; y: number; width: number; height: number }
    await page.mouse.move(box.x + 100, box.y + 60)
    await page.mouse.down()
    await page.mouse.move(box.x + 200, box.y + 60)
    await page.mouse.up()
    await plot.locator('button:has-text("show all")').click()
    // What both twins send is the same: the line behind is wider.
    const widths = await svg
      .locator('path[stroke-width]')
      .evaluateAll((paths) => paths.map((path) => Number(path.getAttribute('stroke-width'))))
    expect(widths.filter((width) => width >= 4)).not.toEqual([])
    const lines = await plot.locator('path[stroke-width]').count()
    await plot.locator('.legend button:has-text("video")').first().click()
    expect(await plot.locator('path[stroke-width]').count()).toBe(lines - 1)
    expect(errors).toEqual([])
    await page.context().close()
  })

  test('a ladder is walked through by keys, with the life of each datagram', async () => {
    const [page, errors] = await opened('run.html', 'light')
    const ladder = page.locator('.ladder').first()
    await ladder.focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    expect(await page.textContent('aside b')).toMatch(/^#2 UDP a → 10\.0\.1\.2, 128 B$/)
    expect(await page.textContent('aside li:last-child')).toContain('delivered')
    expect(await ladder.locator('.arrow.selected').count()).toBeGreaterThan(0)
    await page.keyboard.press('ArrowUp')
    expect(await page.textContent('aside b')).toMatch(/^#1 UDP/)
    await page.click('aside button:has-text("close")')
    expect(await page.locator('aside').count()).toBe(0)
    expect(errors).toEqual([])
    await page.context().close()
  })

  test('values of equal factors are equally far apart', async () => {
    const [page] = await opened('sweep.html', 'light')
    const loss = page.locator('.plot', { has: page.locator('h3:text-is("Loss")') })
    const dots = await loss.locator('circle').evaluateAll((all) => all.map((each) => Number(each.getAttribute('cx'))))
    const [first = 0, second = 0, third = 0] = [...new Set(dots)]
    expect(third - second).toBeCloseTo(second - first, 0)
    await page.context().close()
  })
})
