/** What the build of the pages refuses. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { faults } from '../tools/site/check.mjs'

test('what a page would ask of another host, and places that are nowhere, are faults of the site', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tungram-site-'))
  mkdirSync(join(folder, 'docs'))
  const write = (path: string, text: string) => writeFileSync(join(folder, path), text)
  write(
    'index.html',
    '<link rel="stylesheet" href="/a.css"><link rel="preconnect" href="https://fonts.example">' +
      '<h1 id="one">1</h1><a href="https://other.example/page#place">elsewhere, by a click</a>' +
      '<a class="x" href="/docs/a.html#two">2</a><a href="#three">3</a>',
  )
  write('docs/a.html', '<img alt="" src="//img.example/a.png"><p id="two"></p><a href="/#one">1</a>')
  write('docs/b.html', '<a href="/docs/a.html#four">4</a><a href="./c.html#five">5</a><script src="/x.js"></script>')
  write('a.css', "a{background:url('https://css.example/a.svg')}b{background:url(/b.svg)}")
  write('x.js', 'const ns="http://www.w3.org/2000/svg";fetch("https://api.example/v1");fetch("/own")')
  try {
    expect(faults(folder)).toEqual([
      'a.css would load https://css.example/a.svg',
      'docs/a.html would load //img.example/a.png',
      'index.html would load https://fonts.example',
      'x.js would load https://api.example/v1',
      'docs/b.html links to /docs/a.html#four, which is nowhere',
      'docs/b.html links to ./c.html#five, which is nowhere',
      'index.html links to #three, which is nowhere',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
