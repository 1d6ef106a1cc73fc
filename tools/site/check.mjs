/** What is wrong with a built site. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'

/**
 * In HTML: what a browser loads without a click. In CSS: every address. Scripts name addresses that are
 * no requests (namespaces, error messages), so of them only imports, fetches and sockets count.
 */
const LOADS = {
  html: /<(?:script|img|iframe|source|video|audio|embed|link)\b[^>]*? (?:src|href|data)="((?:https?:)?\/\/[^"]*)/g,
  css: /(?:url\(\s*|@import\s*)["']?((?:https?:)?\/\/[^"')]*)/g,
  js: /\b(?:import|fetch|importScripts|WebSocket|EventSource|sendBeacon)\s*\(?\s*["'`]((?:https?:|wss?:)?\/\/[^"'`]*)/g,
}

/**
 * What it would load from other hosts, and links to places of a page that it does not have (VitePress
 * looks at pages only).
 *
 * @param {string} folder
 * @returns {string[]} one line for each fault
 */
export function faults(folder) {
  const found = []
  const texts = new Map()
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const kind = /\.(html|css|js)$/.exec(file)?.[1]
    if (kind === undefined) continue
    const text = readFileSync(join(folder, file), 'utf8')
    for (const [, address] of text.matchAll(LOADS[kind])) found.push(`${file} would load ${address}`)
    if (kind === 'html') texts.set(relative('.', file), text)
  }
  const places = new Map()
  for (const [file, text] of texts) places.set(file, new Set([...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)))
  for (const [file, text] of texts)
    for (const [, path, place] of text.matchAll(/<a [^>]*?href="([^"#:]*)#([^"]+)"/g)) {
      const target = path === '' ? file : path.startsWith('/') ? path.slice(1) : posix.join(dirname(file), path)
      const known = places.get(target === '' || target.endsWith('/') ? `${target}index.html` : target)
      if (!known?.has(decodeURIComponent(place))) found.push(`${file} links to ${path}#${place}, which is nowhere`)
    }
  return found
}
