/** An empty page of Chromium, for tests. */
import { launch } from '../../chromium.ts'

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
  const browser = await launch<{ newPage(): Promise<OwnPage>; close(): Promise<void> }>()
  const page = await browser.newPage()
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
