/**
 * The entry of a report's views. `page` writes the document, in the process that made the run; `begin`
 * draws it again in the browser, where it answers.
 */
import { render } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { ReportData } from '../../../src/cli/report/report-data.ts'
import * as state from '../state/state.ts'
import { freeze } from './freeze.ts'
import { Report } from './report.tsx'

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

/** Also JSON is within a script, which `</script>` in a text would end. */
const asScript = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c')

export function page(data: ReportData, { script, style }: { script: string; style: string }): string {
  freeze(data)
  const document = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <meta name="color-scheme" content="light dark" />
        <title>{data.title} – tungram sim</title>
        <style dangerouslySetInnerHTML={{ __html: style }} />
      </head>
      <body>
        <div id="report">
          <Report data={data} />
        </div>
        <script dangerouslySetInnerHTML={{ __html: `${script};tungramReport.begin(${asScript(data)})` }} />
      </body>
    </html>
  )
  return `<!doctype html>\n${renderToString(document)}\n`
}

export function begin(data: ReportData): void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const follow = () => {
    state.theme.value = dark.matches ? 'dark' : 'light'
    document.documentElement.dataset.theme = state.theme.value
  }
  dark.addEventListener('change', follow)
  follow()
  freeze(data)
  const root = document.getElementById('report') as HTMLElement
  root.replaceChildren()
  render(<Report data={data} />, root)
  document.documentElement.dataset.ready = 'true'
}
