/**
 * Pictures of all views of the page, in both themes and at three widths, to be looked at:
 * docs/pictures/page.
 *
 *     npm run build && npm run page && node tools/page/pictures.mjs [FOLDER]
 *
 * Needs Chromium (/usr/bin/chromium, or CHROMIUM) and the packages of page/. All is on loopback.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const folder = process.argv[2] ?? join(root, 'docs', 'pictures', 'page')
const HEIGHTS = { 360: 740, 1280: 800, 2560: 1300 }
const QUALITY = 60
/** Each view where it has something to say. */
const MOMENTS = {
  ladder: '#lab=fragment-loss',
  flows: '#lab=bufferbloat&t=9000&view=flows',
  plots: '#lab=bufferbloat-codel&t=5000&view=plots',
  log: '#lab=pmtu-black-hole&view=log',
  yaml: '#lab=nat-hole-punching&view=yaml',
  terminal: '#lab=ttl-scoping&view=terminal',
}

const { chromium } = createRequire(join(root, 'page', 'package.json'))('playwright-core')
const server = spawn(process.execPath, [join(root, 'dist', 'cli.js'), 'page', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
let browser
try {
  const [chunk] = await once(server.stdout, 'data')
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  mkdirSync(folder, { recursive: true })
  for (const [width, height] of Object.entries(HEIGHTS))
    for (const colorScheme of ['light', 'dark'])
      await take(`${chunk}`.trim(), { width: Number(width), height }, colorScheme)
} finally {
  await browser?.close()
  server.kill('SIGTERM')
}

async function take(url, viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' })
  for (const [view, moment] of Object.entries(MOMENTS)) {
    const tab = await context.newPage()
    const cdp = await context.newCDPSession(tab)
    const picture = async (name) => {
      // Until nothing of it changes any more.
      await tab.waitForTimeout(300)
      const { data } = await cdp.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
      writeFileSync(join(folder, `${viewport.width}-${colorScheme}-${name}.webp`), Buffer.from(data, 'base64'))
    }
    await tab.goto(url + moment)
    await tab.waitForSelector('html[data-ready=true]', { state: 'attached' })
    if (viewport.width > 800) await picture(view)
    else {
      // A small screen has a part at a time.
      await tab.click('.parts button:has-text("views")')
      await picture(view)
      for (const part of view === 'ladder' ? ['network', 'inspector'] : []) {
        await tab.click(`.parts button:has-text("${part}")`)
        await picture(part)
      }
    }
    await tab.close()
  }
  await context.close()
}
