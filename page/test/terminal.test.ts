/** Terminals and code of hosts in the page. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noBrowser, PAGE } from '../../test/chromium.ts'
import { describeWith } from '../../test/skips.ts'
import { REQUIRED, type Served, serve } from './browser.ts'

const said = (page: Page) => page.locator('.said')
const code = async (page: Page, source: string) => {
  await page.fill('textarea', source)
  await page.click('.terminal button[type=submit]')
}

describeWith(
  noBrowser === '',
  noBrowser,
  REQUIRED,
)('the terminal', () => {
  let served: Served
  beforeAll(async () => {
    served = await serve()
  })
  afterAll(() => served?.close())

  test('a ping is in the run, code has its errors at their line, and what never returns is taken out', async () => {
    const { page, context, errors } = await served.open('#lab=pmtu-black-hole&t=5&view=terminal')
    await page.selectOption('.terminal select', 'client')
    await page.fill('.terminal input', 'ping -c 1 server')
    await page.keyboard.press('Enter')
    await said(page).filter({ hasText: 'PING server (10.0.2.2)' }).waitFor()
    expect(await said(page).textContent()).not.toContain('64 bytes from')
    await page.locator('.terminal h2').click()
    await page.keyboard.press('End')
    await said(page).filter({ hasText: '1 packet transmitted, 1 received' }).waitFor()
    await page.keyboard.press('Home')

    await page.click('.terminal button:has-text("code")')
    await code(page, 'let a = 1\nlet b = ;')
    await page.locator('[role=alert]', { hasText: 'line 2, column 9' }).waitFor()
    await code(page, "console.log('on', host)\nnull.x")
    await said(page).filter({ hasText: 'on client' }).waitFor()
    expect(await said(page).textContent()).toContain("reading 'x') (line 2, column 6)")
    const axe = readFileSync(join(PAGE, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8')
    await page.evaluate(axe)
    expect(await page.evaluate('axe.run().then(({ violations }) => violations.map(({ id }) => id))')).toEqual([])

    await code(page, 'while (true);')
    await page.locator('.notice', { hasText: 'It was taken out: the code on client at 0 ms.' }).waitFor()
    await said(page).filter({ hasText: 'on client' }).waitFor()
    expect(await page.locator('.said h2').count()).toBe(2)
    expect(await page.inputValue('textarea')).toBe('while (true);')
    await page.locator('.said h2 button').first().click()
    await page.waitForFunction(() => document.querySelectorAll('.said h2').length === 1)
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/terminal.png` })
    expect(errors).toEqual([])
    await context.close()
  })
})
