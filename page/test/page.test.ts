/** The page in Chromium: a network is drawn, broken, explained and shared. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noBrowser, PAGE } from '../../test/chromium.ts'
import { describeWith } from '../../test/skips.ts'
import { REQUIRED, ready, type Served, serve } from './browser.ts'

const root = join(import.meta.dirname, '..', '..')

/** The text of the whole scenario, as the page would save it. */
async function saved(
  page: Page,
  what: 'scenario, YAML' | 'run, pcapng' | 'picture, SVG' | 'picture, PNG' | 'video from here on',
): Promise<Buffer> {
  await page.click('summary:has-text("save")')
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`.menu button:has-text("${what}")`)])
  await page.click('summary:has-text("save")')
  return readFileSync(await download.path())
}

async function command(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.keyboard.type(name)
  await page.keyboard.press('Enter')
}

/** As the first version of links was written, with all that it has. It opens for ever. */
const OLD_LINK =
  '#s=1.JZDBboMwEER_ZTTnbWVoo1Z763cQDgY2qRVjI-w0rRD_XqFc582bw2ys9lupTH42xVdCjhNiSLdz-s6lFsUGr' +
  'xAMiv2cDlIU3YbB6sMsKTovGHrBZNH_KZq5COZ6VzTtp8Pen9Ml5sdTuqx5VnhBzYpBMOZ7qoo3weqrKRr3NChcoh-' +
  'tUDd6aufE9cKB2rXOybvrd2ENs1Eb93oS_gR7UBnzlcJi0cYacjrsW0gTlYsfb1YpDBO13Y-SHfkHhfdUQ6SenHBZ8' +
  '3X1c6F2G48DqPQU-kptnTCGZMdaSFe8jGgwcO_3fw'

/** How many pixels of the packets have one of the page's colours, to the bit. */
function painted(page: Page, name: string): Promise<number> {
  return page.evaluate((property) => {
    const canvas = document.querySelector('.drawing canvas') as HTMLCanvasElement
    const color = getComputedStyle(canvas).getPropertyValue(property)
    const wanted = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
    const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(
      0,
      0,
      canvas.width,
      canvas.height,
    )
    let count = 0
    for (let at = 0; at < data.length; at += 4)
      if (wanted.every((value, part) => data[at + part] === value) && data[at + 3] === 255) count++
    return count
  }, name)
}

const node = (page: Page, name: string) => page.locator(`[data-node="${name}"]`)
const notice = (page: Page) => page.locator('.notice')

describeWith(
  noBrowser === '',
  noBrowser,
  REQUIRED,
)('the page', () => {
  let served: Served
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tungram-page-'))
    served = await serve()
  })
  afterAll(async () => {
    await served?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('first shows the black hole, at its first drop, with the reason', async () => {
    const { page, context, errors } = await served.open()
    expect(await page.textContent('aside .packet h2')).toContain('datagram 2')
    expect(await page.textContent('.verdict')).toContain('LinkMtuExceeded')
    expect(await page.textContent('.verdict')).toContain("longer than the link's MTU")
    expect(await page.textContent('output[aria-label=time]')).toBe('1.00 ms')
    await page.click('.packet [role=tab]:has-text("bytes")')
    const ttl = page.locator('.fields tr', { hasText: 'TTL' })
    await ttl.hover()
    expect(await page.locator('.hex .lit').allTextContents()).toEqual(['3f'])
    expect(errors).toEqual([])
    await context.close()
  })

  test('all of its code is below 400 kB with gzip, and what a run needs below 110 kB', () => {
    const code = readdirSync(join(served.folder, 'assets')).filter((name) => /\.(js|css)$/.test(name))
    const size = (name: string) => gzipSync(readFileSync(join(served.folder, 'assets', name))).length
    expect(code.reduce((sum, name) => sum + size(name), 0)).toBeLessThan(400_000)
    // The worker, without what it loads later: texts, bytes of frames, programs, the parts of vite/later.ts.
    const worker = code.find((name) => name.startsWith('main-')) as string
    expect(size(worker)).toBeLessThan(110_000)
    const text = readFileSync(join(served.folder, 'assets', worker), 'utf8')
    expect(text.match(/(?:^|;)import\s?(?:[\w{*].*?from)?\s?["'`]/)).toBeNull()
  })

  test('a network is drawn by the keyboard alone, broken by its MTU, and says why', async () => {
    const { page, context, errors } = await served.open()
    await command(page, 'new network')
    for (const [key, name] of [
      ['h', 'h1'],
      ['r', 'r1'],
      ['h', 'h2'],
    ] as const) {
      await page.keyboard.press(key)
      await node(page, name).waitFor()
    }
    for (const [from, to] of [
      ['h1', 'r1'],
      ['r1', 'h2'],
    ] as const) {
      await node(page, from).focus()
      await page.keyboard.press('c')
      await node(page, to).focus()
      await page.keyboard.press('Enter')
      await page.waitForSelector(`[aria-label^="cable ${from}-${to}"]`, { state: 'attached' })
    }
    await page.keyboard.press('t')
    await page.locator('#flow-cut').focus()
    await page.keyboard.type('do')
    await page.locator('dialog button.primary').focus()
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog', { state: 'detached' })
    await page.keyboard.press('2')
    await page.waitForSelector('.flows td:has-text("h1 → h2")')
    // The second cable carries 500 bytes from now on.
    await page.locator('[aria-label^="cable r1-h2"]').focus()
    await page.keyboard.press('Enter')
    await page.locator('#field-links-1-mtu').focus()
    await page.keyboard.type('500')
    await page.keyboard.press('Tab')
    await page.waitForSelector('.flows td:has-text("IpDontFragment at r1")')
    // The loss is shown against the run before.
    expect(await page.textContent('.flows .less')).toMatch(/−\d+/)
    // What fares otherwise is outlined: on its wire, in the ladder and in words, and by taking it back.
    const difference = page.locator('.difference')
    expect(await difference.textContent()).toMatch(/^after the change ?\d+ arrives? no more✕$/)
    // In a field it would be typed.
    await node(page, 'h1').focus()
    await page.keyboard.press('d')
    await page.keyboard.press('1')
    await page.locator('.changed.lost', { hasText: 'It arrived before the last change.' }).waitFor()
    expect(await page.locator('.arrow path.change.lost').count()).toBeGreaterThan(0)
    await page.keyboard.press('2')
    await page.keyboard.press('Control+z')
    await page.waitForSelector('.flows td:has-text("IpDontFragment at r1")', { state: 'detached' })
    await difference.locator('button', { hasText: /arrives? that did not/ }).click()
    await page.locator('.changed.gained', { hasText: 'It did not arrive before the last change.' }).waitFor()
    await page.keyboard.press('ArrowRight')
    expect(await painted(page, '--good')).toBeGreaterThan(10)
    await page.click('[aria-label="leave the difference"]')
    await page.waitForSelector('.changed', { state: 'detached' })
    expect(await painted(page, '--good')).toBe(0)
    expect(errors).toEqual([])
    await context.close()
  })

  test('what one points at, waits or is translated says so; arrows lead along cables', async () => {
    const { page, context, errors } = await served.open()
    // The control with which to begin: the tunnel.
    expect(await page.locator('.cable.lit').getAttribute('aria-label')).toMatch(/^cable tunnel,/)
    await page.locator('.cable.lit .grip').hover({ force: true })
    expect(await page.textContent('.cable-now')).toMatch(/^r1 → r2 MTU 1500, .* now \S/)
    await node(page, 'client').focus()
    await page.keyboard.press('ArrowRight')
    await page.waitForFunction(() => (document.activeElement as SVGElement).dataset.node === 'r1')
    await page.keyboard.press('ArrowUp')
    expect(await page.evaluate(() => (document.activeElement as SVGElement).dataset.node)).toBe('r1')
    await page.evaluate(() => (location.hash = '#lab=nat-hole-punching&t=100000'))
    await page.locator('.mapping').first().waitFor()
    expect(await page.locator('.mapping').first().textContent()).toMatch(/^[\d.]+:\d+ ⇄ [\d.]+:\d+$/)
    await page.evaluate(() => (location.hash = '#lab=fragment-loss&t=10000'))
    await page.locator('.waiting', { hasText: /^\d fragments? waits?, for [\d.]+ s$/ }).waitFor()
    expect(errors).toEqual([])
    await context.close()
  })

  test('a link of the first version opens as it did', async () => {
    const { page, context, errors } = await served.open(OLD_LINK)
    expect(await page.textContent('h1')).toContain('An old link')
    expect(await page.textContent('output[aria-label=time]')).toBe('10.50 ms')
    expect(await page.getAttribute('#tab-log', 'aria-selected')).toBe('true')
    expect(await page.textContent('.packet h2')).toContain('datagram 2')
    expect(await page.getAttribute('[data-node="b"]', 'transform')).not.toBeNull()
    expect(
      await page
        .locator('.timebar .run input')
        .evaluateAll((all) => all.map((each) => (each as HTMLInputElement).value)),
    ).toEqual(['7', '50'])
    await page.click('#tab-terminal')
    await page.locator('.said', { hasText: 'ping -c 1 b' }).waitFor()
    expect(errors).toEqual([])
    await context.close()
  })

  test('a large network is drawn in parts, all of it; names appear where they can be read', async () => {
    const { page, context, errors } = await served.open()
    const hosts = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`h${index}`, null]))
    const links = Object.keys(hosts).map((host) => ({ between: [host, 'r'] }))
    const text = JSON.stringify({ hosts, routers: { r: null }, links })
    await page.evaluate(
      (fragment) => {
        location.hash = fragment
      },
      `#s=1.${deflateRawSync(JSON.stringify({ text })).toString('base64url')}`,
    )
    await page.waitForFunction(() => document.querySelectorAll('[data-node],[data-cable]').length === 601)
    expect(await page.locator('.drawing svg .words').count()).toBe(0)
    const { x, y, width, height } = await node(page, 'r').evaluate((element) => element.getBoundingClientRect())
    await page.mouse.move(x + width / 2, y + height / 2)
    for (let turns = 0; turns < 5; turns++) await page.mouse.wheel(0, -500)
    await page.waitForSelector('.drawing svg .words .name >> text=/^r$/')
    // Of what is out of sight there are none.
    expect(await page.locator('.drawing svg .words .name').count()).toBeLessThan(150)
    expect(errors).toEqual([])
    await context.close()
  })

  test('two fingers zoom the drawing', async () => {
    const { page, context, errors } = await served.open()
    const box = (await page.locator('.drawing').boundingBox()) as {
      x: number
      y: number
      width: number
      height: number
    }
    const [x, y] = [box.x + box.width / 2, box.y + box.height - 30]
    const cdp = await context.newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', apart: number) =>
      cdp.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [-1, 1].map((side, id) => ({ x: x + side * apart, y, id })),
      })
    const width = async () => {
      const boxes = await page
        .locator('[data-node]')
        .evaluateAll((all) => all.map((each) => each.getBoundingClientRect().x))
      return Math.max(...boxes) - Math.min(...boxes)
    }
    const before = await width()
    await touch('touchStart', 100)
    for (const apart of [110, 130, 150]) await touch('touchMove', apart)
    await touch('touchEnd', 0)
    await page.waitForSelector('.tools .whole')
    expect((await width()) / before).toBeCloseTo(1.5, 1)
    expect(errors).toEqual([])
    await context.close()
  })

  test('a network is drawn by mouse; its link opens the same run elsewhere, and tungram sim makes the same capture', async () => {
    const { page, context, errors } = await served.open()
    await page.click('nav button:has-text("new")')
    await page.waitForSelector('.drawing .empty')
    const box = (await page.locator('.drawing').boundingBox()) as { x: number; y: number }
    for (const [tool, x, y] of [
      ['host', 200, 150],
      ['switch', 420, 150],
      ['host', 640, 150],
    ] as const) {
      const count = await page.locator('[data-node]').count()
      await page.click(`.tools button:has-text("${tool}")`)
      await page.mouse.click(box.x + x, box.y + y)
      await page.waitForFunction((before) => document.querySelectorAll('[data-node]').length === before + 1, count)
    }
    for (const [from, to] of [
      ['h1', 's1'],
      ['s1', 'h2'],
    ] as const) {
      await page.click('.tools button:has-text("cable")')
      await node(page, from).click()
      await node(page, to).click()
      await page.waitForSelector(`[aria-label^="cable ${from}-${to}"]`, { state: 'attached' })
    }
    await page.click('.tools button:has-text("flow")')
    await page.fill('#flow-rate', '50')
    await page.click('dialog button.primary')
    await page.waitForSelector('dialog', { state: 'detached' })
    await page.locator('.timebar .run input').first().fill('7')
    await page.keyboard.press('Enter')
    await page.click('nav button:has-text("share")')
    await notice(page).filter({ hasText: 'letters' }).waitFor()
    const link = page.url()
    expect(link).toMatch(/#s=1\.[\w-]+$/)

    const other = await served.open(link.slice(link.indexOf('#')))
    const capture = await saved(other.page, 'run, pcapng')
    const file = join(folder, 'drawn.yaml')
    writeFileSync(file, await saved(other.page, 'scenario, YAML'))
    const out = join(folder, 'sim.pcapng')
    execFileSync(process.execPath, [join(root, 'dist', 'cli.js'), 'sim', file, '--seed', '7', '--capture', out])
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    expect(hash(capture)).toBe(hash(readFileSync(out)))
    expect(capture.length).toBeGreaterThan(100_000)
    expect([...errors, ...other.errors]).toEqual([])
    await other.context.close()
    await context.close()
  })

  test('a capture that is dropped on a host is replayed, as a part of the run', async () => {
    const { page, context, errors } = await served.open()
    const capture = await saved(page, 'run, pcapng')
    const drop = (target: string, bytes: Buffer) =>
      page.locator(target).evaluate((element, letters) => {
        const data = new DataTransfer()
        data.items.add(new File([Uint8Array.from(atob(letters), (each) => each.charCodeAt(0))], 'run.pcapng'))
        element.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }))
      }, bytes.toString('base64'))
    await drop('.page', capture)
    await notice(page).filter({ hasText: 'run.pcapng is a capture: drop it on a host' }).waitFor()
    await drop('[data-node="server"]', capture)
    await page.locator('.said', { hasText: /\d+ packets of run\.pcapng are sent again/ }).waitFor()
    await page.locator('.said button').click()
    await page.waitForSelector('.said', { state: 'detached' })
    // It begins as a capture does, and is none.
    await drop('[data-node="server"]', capture.subarray(0, 60))
    await page.locator('.said', { hasText: 'run.pcapng cannot be replayed: ' }).waitFor()
    expect(errors).toEqual([])
    await context.close()
  })

  test('the drawing is saved as a picture, and as a video', async () => {
    const { page, context, errors } = await served.open()
    const svg = (await saved(page, 'picture, SVG')).toString()
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    for (const part of ['>client</text>', '--paper', '<image href="data:image/png;base64,']) expect(svg).toContain(part)
    const png = await saved(page, 'picture, PNG')
    // Not only paper.
    expect([png.subarray(1, 4).toString(), png.length > 5000]).toEqual(['PNG', true])
    if (process.env.SHOTS) writeFileSync(`${process.env.SHOTS}/picture.png`, png)
    await page.keyboard.press('Home')
    const video = saved(page, 'video from here on')
    await page.waitForFunction(
      () => Number.parseFloat(document.querySelector('output[aria-label=time]')?.textContent ?? '') > 30,
    )
    await page.click('.timebar .play')
    const bytes = await video
    if (process.env.SHOTS) writeFileSync(`${process.env.SHOTS}/video.webm`, bytes)
    // EBML, of which WebM is made.
    expect([bytes.readUInt32BE(0), bytes.length > 1000]).toEqual([0x1a45dfa3, true])
    expect(errors).toEqual([])
    await context.close()
  })

  test('names are text, whatever is in them', async () => {
    const names = [`<script>document.title='x'</script>`, `"quo'ted"`, '\u202eright to left', 'n'.repeat(10_000)]
    const text = JSON.stringify({
      name: '<img src=x onerror="document.title=1">',
      duration: '100ms',
      hosts: Object.fromEntries(names.map((name) => [name, null])),
      links: names.slice(1).map((name) => ({ between: [names[0], name], delay: '1ms' })),
      flows: [{ name: '<b>flow</b>', from: names[0], to: names[3], rate: 100 }],
    })
    const { page, context, errors } = await served.open()
    const title = await page.title()
    await page.locator('.page').evaluate((element, of) => {
      const data = new DataTransfer()
      data.items.add(new File([of], 'hostile.yaml'))
      element.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }))
    }, text)
    await page.waitForFunction(() => document.querySelectorAll('[data-node]').length === 4)
    for (const view of ['ladder', 'flows', 'plots', 'log']) {
      await page.click(`#tab-${view}`)
      expect(await page.locator('.view').textContent()).not.toContain('has failed')
    }
    for (let index = 0; index < 4; index++) await page.locator('[data-node]').nth(index).press('Enter')
    expect(await page.locator('script:not([src]):not([type])').count()).toBe(1)
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.title()).toBe(title)
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    expect(errors).toEqual([])
    await context.close()
  })

  test('a bad text is told at its line, and what was there stays, also after the page is loaded again', async () => {
    const { page, context, errors } = await served.open()
    await page.click('#tab-yaml')
    await page.click('.cm-content')
    await page.keyboard.press('Control+Home')
    // At once: typed slowly, it would be more than one step to undo.
    await page.keyboard.insertText('hosts: [')
    await page.waitForSelector('.fault:has-text("line ")')
    await page.waitForSelector('.cm-fault')
    expect(await page.locator('[data-node]').count()).toBe(4)
    await page.keyboard.press('Control+z')
    await page.waitForSelector('.fault', { state: 'detached' })
    expect(await page.locator('.cm-fault').count()).toBe(0)
    await page.click('[aria-label="close the lab"]')
    await page.waitForFunction(() => localStorage.getItem('tungram.last')?.includes('black hole'))
    await page.reload()
    await ready(page)
    expect(await page.textContent('h1')).toContain('PMTU black hole')
    for (const [fragment, words] of [
      ['#s=1.AAAA', 'This link is damaged'],
      ['#s=9.AAAA', 'of version 9'],
      ['#lab=nowhere', "There is no lab 'nowhere'"],
    ] as const) {
      await page.goto(served.url + fragment)
      await notice(page).filter({ hasText: words }).waitFor()
      expect(await page.locator('[data-node]').count()).toBe(4)
    }
    await page.locator('.page').evaluate((element) => {
      const data = new DataTransfer()
      data.items.add(new File(['x'.repeat(3_000_000)], 'huge.yaml'))
      element.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }))
    })
    await notice(page).filter({ hasText: 'huge.yaml has 3,000,000 bytes' }).waitFor()
    expect(errors).toEqual([])
    await context.close()
  })

  test('a browser without workers is told so', async () => {
    const context = await served.browser.newContext()
    const page = await context.newPage()
    await page.addInitScript(() => {
      Object.defineProperty(globalThis, 'Worker', { value: undefined })
    })
    await page.goto(served.url)
    await notice(page).filter({ hasText: 'This browser has no Web Workers' }).waitFor()
    await context.close()
  })

  test('every lab opens from the gallery and runs; its questions lead through it', async () => {
    const { page, context, errors } = await served.open()
    await page.click('nav button:has-text("labs")')
    // The steps of all are run without a browser (labs.test.ts); this one has 69 000 datagrams.
    const labs = (await page.locator('.gallery b').allTextContents()).filter((lab) => lab !== 'Identification wraps')
    expect(labs.length).toBeGreaterThanOrEqual(12)
    const walked = ['NATs and hole punching', 'One fragment is lost']
    for (const lab of labs) {
      await page.locator('.gallery button', { has: page.locator(`b:text-is("${lab}")`) }).click()
      await page.waitForFunction((title) => document.querySelector('.lab h2')?.textContent === title, lab)
      // One of them has 54 000 frames, which takes its time beside other tests.
      await page.waitForSelector('.running', { state: 'detached', timeout: 60_000 })
      // A run is there: a text with an error has none.
      await page.waitForFunction(
        () => !document.querySelector('.timebar .now')?.textContent?.endsWith('of 0 ms'),
        null,
        { timeout: 60_000 },
      )
      for (let goesOn = walked.includes(lab); goesOn; ) {
        await page.locator('.lab fieldset input').first().check()
        await page.click('.lab button.primary')
        const next = page.locator('.lab [role=status] button.primary')
        goesOn = (await next.textContent())?.startsWith('next') === true
        if (goesOn) await next.click()
      }
      await page.click('nav button:has-text("labs")')
    }
    expect(await page.locator('.gallery i.done').count()).toBe(7)
    expect(errors).toEqual([])
    await context.close()
  }, 240_000)

  test('axe finds nothing, in any view and in both themes', async () => {
    const axe = readFileSync(join(PAGE, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8')
    const { page, context } = await served.open()
    await page.evaluate(axe)
    const found: string[] = []
    const look = async (where: string, rules: object) => {
      const violations = await page.evaluate(async (options) => {
        const { axe } = globalThis as unknown as {
          axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
        }
        return (await axe.run(options)).violations.map(
          ({ id, nodes }) => `${id}: ${nodes.slice(0, 2).map(({ html }) => html.slice(0, 160))}`,
        )
      }, rules)
      found.push(...violations.map((each) => `${where}: ${each}`))
    }
    for (const theme of ['light', 'dark']) {
      // A theme is colours alone.
      const rules = theme === 'light' ? {} : { runOnly: ['color-contrast'] }
      for (const view of ['ladder', 'flows', 'plots', 'log', 'yaml', 'terminal']) {
        await page.click(`#tab-${view}`)
        await page.waitForTimeout(50)
        await look(`${theme} ${view}`, rules)
      }
      await node(page, 'r1').press('Enter')
      await look(`${theme} node`, rules)
      await page.click('nav button:has-text("labs")')
      await look(`${theme} labs`, rules)
      await page.keyboard.press('Escape')
      await page.click('[aria-label="light or dark"]')
    }
    expect(found).toEqual([])
    await context.close()
  })
})
