/** Chromium on the built page, served by `tungram page`. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { launch, PAGE } from '../../test/chromium.ts'

const root = join(import.meta.dirname, '..', '..')
export const REQUIRED = 'TUNGRAM_REQUIRE_PAGE'

export interface Served {
  readonly url: string
  readonly browser: Browser
  /** The built page. */
  readonly folder: string
  /** A context of its own, with a page that is open and ready. What goes wrong in it is kept. */
  open(fragment?: string, size?: { width: number; height: number }): Promise<Opened>
  close(): Promise<void>
}

interface Opened {
  readonly page: Page
  readonly context: BrowserContext
  readonly errors: string[]
}

export async function serve(): Promise<Served> {
  // Of its own: files of tests run side by side.
  const folder = mkdtempSync(join(tmpdir(), 'tungram-page-'))
  const vite = join(PAGE, 'node_modules', 'vite', 'bin', 'vite.js')
  const words = ['build', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn']
  // As npm run page does: what Vitest sets would bundle the checks of a package under development.
  const env = { ...process.env, NODE_ENV: 'production' }
  execFileSync(process.execPath, [vite, ...words], { cwd: PAGE, env, stdio: 'pipe' })
  const server = spawn(process.execPath, [join(root, 'dist', 'cli.js'), 'page', '--port', '0', '--folder', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = (await firstLine(server)).trim()
  const browser = await launch<Browser>()
  return {
    url,
    browser,
    folder,
    async open(fragment = '', viewport = { width: 1280, height: 800 }) {
      const context = await browser.newContext({ viewport, reducedMotion: 'reduce', acceptDownloads: true })
      context.setDefaultTimeout(90_000)
      const page = await context.newPage()
      const errors: string[] = []
      page.on('pageerror', (error) => errors.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text())
      })
      await page.goto(url + fragment)
      await ready(page)
      return { page, context, errors }
    },
    async close() {
      await browser.close()
      server.kill('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function ready(page: Page): Promise<void> {
  await page.waitForSelector('html[data-ready=true]', { state: 'attached', timeout: 90_000 })
}

function firstLine(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    server.stdout?.once('data', (chunk) => resolve(`${chunk}`))
    server.once('exit', (code) => reject(new Error(`tungram page has ended with ${code}`)))
  })
}
