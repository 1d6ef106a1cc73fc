/** Every block of the documentation is run by a test, or says why not. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { Drop, dropName } from '../../src/base/drop.ts'
import { checkScenario } from '../../src/network/scenario/scenario.ts'
import { testWith } from '../skips.ts'
import { blocksOf, Folder, NEEDS, root } from './page.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.startsWith('api/'))
    .map((path) => `docs/${path}`),
]

/** What runs the blocks of a language on a page. */
const RUN_BY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': { js: 'test/examples.test.ts' },
  'docs/api.md': { js: 'test/index.test.ts' },
  'docs/drop-in.md': {
    js: 'test/drop-in/docs.test.ts',
    json: 'test/drop-in/docs.test.ts',
    sh: 'test/documents/blocks.test.ts',
  },
  'docs/devices.md': { js: 'test/documents/blocks.test.ts' },
  'docs/ethernet.md': { js: 'test/documents/blocks.test.ts' },
  'docs/network-process.md': { js: 'test/drop-in/docs.test.ts' },
  'docs/network.md': { js: 'test/network/docs.test.ts' },
  'docs/node-dgram.md': { js: 'test/socket-api/docs.test.ts' },
  'docs/stack.md': { js: 'test/socket-api/docs.test.ts' },
  'docs/programs.md': { sh: 'test/namespaces/docs.test.ts', yaml: 'test/namespaces/docs.test.ts' },
  'docs/recipes/lab-without-root.md': { yaml: 'test/namespaces/docs.test.ts', sh: 'test/namespaces/docs.test.ts' },
  'docs/recipes/native-quic-in-ci.md': { yaml: 'test/namespaces/docs.test.ts', sh: 'test/namespaces/docs.test.ts' },
  'docs/recipes/ci.md': { yaml: 'test/documents/ci.test.ts', json: 'test/documents/ci.test.ts' },
  'docs/recipes/test-an-npm-package.md': { js: 'test/drop-in/hosts.test.ts' },
  'docs/scenarios.md': { yaml: 'test/documents/blocks.test.ts' },
}
const LANGUAGES = ['js', 'ts', 'sh', 'console', 'yaml', 'json']

test.each(pages)('%s', (page) => {
  const lost = blocksOf(read(page)).flatMap(({ language, line, notes }) => {
    if (!LANGUAGES.includes(language) || (notes['not run'] ?? '') !== '') return []
    if (page.startsWith('docs/start/') || (page.startsWith('docs/lab/') && language === 'console')) return []
    const file = RUN_BY[page]?.[language]
    // The test has to know the page by its name.
    if (file !== undefined && read(file).includes((page.split('/').at(-1) as string).replace('README.md', 'README')))
      return []
    return [`line ${line}: ${language}`]
  })
  expect(lost).toEqual([])
})

test('the picture of the README is what the demo draws', () => {
  const [picture = ''] = blocksOf(read('README.md')).map(({ text }) => text)
  // Which is run there (test/documents/start.test.ts).
  expect(picture.split('\n').length).toBe(8)
  expect(read('docs/start/mtu-and-ttl.md')).toContain(picture)
})

test('the scenario of docs/scenarios.md is one', () => {
  const [block] = blocksOf(read('docs/scenarios.md')).filter(({ language }) => language === 'yaml')
  expect(checkScenario(parse(block?.text ?? '')).flows?.length).toBe(1)
})

const reader = new Folder()
afterAll(() => reader.remove())
const textOf = (page: string, language: string) =>
  blocksOf(read(page))
    .filter((block) => block.language === language && !('not run' in block.notes))
    .map(({ text }) => text)

test('the program of docs/ethernet.md prints what the page says', () => {
  const [code = ''] = textOf('docs/ethernet.md', 'js')
  reader.write('ethernet.mjs', code)
  expect(reader.run('node ethernet.mjs')).toEqual({
    code: 0,
    output: textOf('docs/ethernet.md', 'text')[0],
    errors: '',
  })
})

test('the commands of docs/drop-in.md run a program', () => {
  reader.write(
    'app.js',
    "const s = require('node:dgram').createSocket('udp4').bind(7, () => (console.log('bound'), s.close()))",
  )
  reader.write('net.json', textOf('docs/drop-in.md', 'json')[1] ?? '')
  reader.write('package.json', '{ "scripts": { "start": "node app.js" } }')
  const { code, output, errors } = reader.run(textOf('docs/drop-in.md', 'sh')[0] ?? '')
  expect(code, errors).toBe(0)
  expect(output.match(/^bound$/gm)?.length).toBe(3)
})

testWith((NEEDS['a network namespace'] as () => boolean)(), 'a network namespace and a TUN device')(
  'the programs of docs/devices.md run, in a namespace',
  () => {
    const [tun = '', failure = '', veth = ''] = textOf('docs/devices.md', 'js')
    reader.write('tun.mjs', `${tun}\n${failure}\nconsole.log(stack.nics.length)\nstack.close()`)
    reader.write('veth.mjs', `${veth}\nconsole.log(stack.nics.length)\nstack.close()`)
    const shown = /^\/\/ (ip link add .*)$/m.exec(veth)?.[1]
    const { code, output, errors } = reader.run(`unshare -rn sh -ec '${shown}\nnode tun.mjs\nnode veth.mjs'`)
    expect(code, errors).toBe(0)
    // A nic, and the loopback.
    expect(output).toBe('2\n2\n')
  },
)

test('what docs/which-knob.md gives for a link is a link of a scenario', () => {
  const text = read('docs/which-knob.md')
  const table = text.slice(text.indexOf('## On a link'), text.indexOf('## On a host'))
  const options = [...table.matchAll(/`([a-zA-Z]+: [^`…]*)`/g)].map(([, option = '']) => option)
  expect(options.length).toBeGreaterThan(15)
  for (const option of options) {
    if (/^(state|updateRoutes)/.test(option)) continue
    const hosts = { a: {}, b: {} }
    expect(
      () => checkScenario({ hosts, links: [{ between: ['a', 'b'], ...parse(`{ ${option} }`) }] }),
      option,
    ).not.toThrow()
  }
})

test('the reasons in docs/troubleshooting.md are reasons of drops', () => {
  const known = Object.values(Drop).map((drop) => dropName(drop as Drop))
  const named = read('docs/troubleshooting.md').match(/(?<=`)(Ip|Udp|Wire|Neighbor|Fragment|Frame)[A-Z]\w+(?=`)/g) ?? []
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter((name) => !known.includes(name as never))).toEqual([])
})
