/** A service worker with the list of the built files, so that the page works without a network. */
import { createHash } from 'node:crypto'
import type { Plugin } from 'vite'

const WORKER = (version: string, files: readonly string[]) => `// Keeps the page's files, and serves them first.
const VERSION = ${JSON.stringify(`tungram-${version}`)}
const FILES = ${JSON.stringify(files)}
self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()))
})
self.addEventListener('activate', (event) => {
  const old = (key) => key.startsWith('tungram-') && key !== VERSION
  event.waitUntil(caches.keys().then((keys) => Promise.all(keys.filter(old).map((key) => caches.delete(key)))).then(() => self.clients.claim()))
})
self.addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET') return
  event.respondWith(caches.match(event.request, { ignoreSearch: true }).then((found) => found ?? fetch(event.request)))
})
`

export function offline(): Plugin {
  return {
    name: 'tungram-offline',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const page = bundle['index.html']
      if (page?.type !== 'asset') throw new Error('tungram-offline: the build has no index.html')
      const files = [
        './',
        ...Object.keys(bundle)
          .filter((name) => !name.endsWith('.map'))
          .map((name) => `./${name}`),
      ].sort()
      // The other files have a hash of what is in them in their names.
      const version = createHash('sha256').update(files.join()).update(page.source).digest('hex').slice(0, 12)
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: WORKER(version, files) })
    },
  }
}
