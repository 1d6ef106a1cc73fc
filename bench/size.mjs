/**
 * What a page loads: the size of `tungram/network` as one bundle for a browser, without sockets and
 * with them, and that it holds nothing of Node's.
 *
 *     node bench/size.mjs [--json]
 */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const dist = join(import.meta.dirname, '..', 'dist')
const network = join(dist, 'network', 'index.js')
const dgram = join(dist, 'socket-api', 'dgram', 'dgram.js')
const ENTRIES = {
  'tungram/network': `export * from '${network}'`,
  'tungram/network and tungram/dgram': `export * from '${network}'; export * from '${dgram}'`,
}

async function sizesOf(code) {
  const bundle = await rolldown({
    input: 'entry',
    platform: 'browser',
    tsconfig: false,
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? '\0entry' : null),
        load: (id) => (id === '\0entry' ? code : null),
      },
    ],
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message)
    },
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  const text = output.map((chunk) => chunk.code ?? '').join('')
  const builtins = [...text.matchAll(/["'](node:[\w/]+)["']/g)].map(([, name]) => name)
  if (builtins.length > 0) throw new Error(`The bundle for browsers asks for ${builtins.join(', ')}.`)
  return { minified: Buffer.byteLength(text), gzip: gzipSync(text).length }
}

const sizes = {}
for (const [name, code] of Object.entries(ENTRIES)) sizes[name] = await sizesOf(code)
if (process.argv.includes('--json')) console.log(JSON.stringify(sizes))
else
  for (const [name, { minified, gzip }] of Object.entries(sizes))
    console.log(`${name} in a browser: ${(minified / 1000).toFixed(0)} kB, ${(gzip / 1000).toFixed(0)} kB with gzip`)
