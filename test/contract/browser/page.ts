/** A page of Debian's Chromium, for tests; what they need that may be missing, in words. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const CHROMIUM = '/usr/bin/chromium'
const PAGE = join(import.meta.dirname, '../../../page')

/** Why there is no browser here; `''` when there is one. */
export const noBrowser = !existsSync(CHROMIUM)
  ? `${CHROMIUM}, of Debian's package chromium`
  : !existsSync(join(PAGE, 'node_modules/playwright-core'))
    ? "the packages of 'npm ci --prefix page'"
    : ''

/** In which nothing is done but what the tests say. */
export interface TestPage {
  addScriptTag(script: { content: string }): Promise<unknown>
  evaluate<Result>(code: string): Promise<Result>
  on(event: 'pageerror', listener: (error: Error) => void): void
}

interface OwnPage extends TestPage {
  route(address: string, answer: (route: { fulfill(answer: object): Promise<void> }) => Promise<void>): Promise<void>
  goto(address: string): Promise<unknown>
}

/** Opens an empty page and closes all behind `work`. */
export async function inPage<Result>(work: (page: TestPage) => Promise<Result>): Promise<Result> {
  const { chromium } = createRequire(join(PAGE, 'package.json'))('playwright-core')
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  const page: OwnPage = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(`${error.stack}`))
  try {
    // An address that no server has: without one there are no workers.
    await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
    await page.goto('http://localhost/')
    return await work(page)
  } catch (error) {
    throw new Error([(error as Error).message, ...errors].join('\n'), { cause: error })
  } finally {
    await browser.close()
  }
}
