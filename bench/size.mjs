/**
 * What a page loads: the size of `tungram/network` as one bundle for a browser, and that it holds
 * nothing of Node's.
 *
 *     node bench/size.mjs [--json]
 */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const bundle = await rolldown({
  input: join(import.meta.dirname, '..', 'dist', 'network', 'index.js'),
  platform: 'browser',
  onLog(level, log) {
    if (level === 'warn') throw new Error(log.message)
  },
})
const { output } = await bundle.generate({ format: 'esm', minify: true })
const code = output.map((chunk) => chunk.code ?? '').join('')
const builtins = [...code.matchAll(/["'](node:[\w/]+)["']/g)].map(([, name]) => name)
if (builtins.length > 0) throw new Error(`The bundle for browsers asks for ${builtins.join(', ')}.`)
const sizes = { minified: Buffer.byteLength(code), gzip: gzipSync(code).length }
if (process.argv.includes('--json')) console.log(JSON.stringify(sizes))
else
  console.log(
    `tungram/network in a browser: ${(sizes.minified / 1000).toFixed(0)} kB, ` +
      `${(sizes.gzip / 1000).toFixed(0)} kB with gzip`,
  )
