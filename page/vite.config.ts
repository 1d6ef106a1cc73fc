import { defineConfig } from 'vite'
import { dropReasons } from './vite/drop-reasons.ts'
import { later } from './vite/later.ts'
import { offline } from './vite/offline.ts'

export default defineConfig({
  resolve: {
    alias: {
      // The sockets of hosts in a browser; package.json says so of built files.
      '#platform': `${import.meta.dirname}/../src/socket-api/platform/browser.ts`,
      'ip-address': `${import.meta.dirname}/src/worker/address-text.ts`,
    },
  },
  // Wherever it is served from.
  base: './',
  // Of the built page in the package: what `tungram page` serves.
  build: { outDir: 'dist', target: 'es2023', modulePreload: { polyfill: false }, chunkSizeWarningLimit: 600 },
  worker: {
    format: 'es',
    plugins: () => [later()],
    // What every run needs is one file, whatever its parts share with it.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'engine', tags: ['$initial'] }] } } },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  server: { host: '127.0.0.1' },
  plugins: [dropReasons(), offline()],
})
