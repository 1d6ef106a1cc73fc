/**
 * Makes the views of `tungram sim --report` of those of the page (`page/src/report`), a part of
 * `npm run build`: a script for Node and for browsers, `dist/cli/report/views.js`, and its style; and
 * `drawing.js`, for Node alone, which finds the places of nodes. preact and dagre are packages of the
 * project's own development: a user installs none of it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..', '..')
const read = (...path) => readFileSync(join(root, 'page', 'src', ...path), 'utf8')
const write = (name, text) => writeFileSync(join(root, 'dist', 'cli', 'report', name), text)

const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
for (const name of ['preact', 'preact-render-to-string', '@preact/signals', '@dagrejs/dagre'])
  if (!existsSync(join(root, 'node_modules', name))) {
    console.error(`report: ${name} ${devDependencies[name]} is not installed: run npm ci`)
    process.exit(1)
  }

// Within a page it is the text of a script: no part of it may look like a tag of one.
const script = await bundled('main.tsx', 'tungramReport')
write('views.js', script.replaceAll('</script', '<\\/script').replaceAll('<script', '<\\script'))
write('drawing.js', await bundled('drawing.ts', 'tungramDrawing'))
write('views.css', shortened(read('views.css') + read('report', 'report.css')))

async function bundled(entry, name) {
  const bundle = await rolldown({
    input: join(root, 'page', 'src', 'report', entry),
    platform: 'browser',
    tsconfig: false,
    transform: { target: 'es2022', jsx: { runtime: 'automatic', importSource: 'preact' } },
    onLog(level, log) {
      if (level === 'warn') throw new Error(`report: ${log.message}`)
    },
  })
  const { output } = await bundle.generate({ format: 'iife', name, minify: true })
  await bundle.close()
  return output[0].code.trim()
}

function shortened(css) {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};:,>]) ?/g, (_, mark) => mark)
    .replace(/;}/g, '}')
    .trim()
}
