/** Chromium for tests, driven by the page's playwright-core; what may be missing, in words. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

export const PAGE = join(import.meta.dirname, '../page')
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** What is missing of the page's packages; `''` when they are there. */
export const noPackages = existsSync(join(PAGE, 'node_modules/playwright-core'))
  ? ''
  : "the packages of 'npm ci --prefix page'"
/** Why there is no browser here; `''` when there is one. */
export const noBrowser = existsSync(CHROMIUM) ? noPackages : `${CHROMIUM}, of Debian's package chromium`

/** Starts it: a Browser of playwright-core, whose types are those of the page's packages. */
export async function launch<Browser>(): Promise<Browser> {
  const { chromium } = createRequire(join(PAGE, 'package.json'))('playwright-core')
  // Its sandbox is not for root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath: CHROMIUM, args })
}
