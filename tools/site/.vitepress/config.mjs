import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const pages = join(import.meta.dirname, '../pages')
const title = (path) => /^# (.*)$/m.exec(readFileSync(join(pages, path), 'utf8'))[1].replaceAll('`', '')
const entries = (folder, names) =>
  names.map((name) => ({ text: title(`${folder}${name}.md`), link: `/${folder}${name}` }))

const guides = [
  {
    text: 'Start here',
    items: [
      ...entries('docs/start/', ['bad-networks', 'protocol', 'mtu-and-ttl', 'measure']),
      ...entries('docs/', ['index', 'which-knob', 'coming-from', 'troubleshooting']),
    ],
  },
  {
    text: 'Networks',
    items: entries('docs/', ['network', 'scenarios', 'page', 'programs', 'drop-in', 'network-process']),
  },
  {
    text: 'Laboratory',
    items: entries('docs/lab/', [
      'ttl-scoping',
      'pmtu-black-hole',
      'fragmentation-loss',
      'ipv6-fragments',
      'identification-wrap',
      'identification-birthday',
      'quic-tunnel',
      'bufferbloat',
      'burst-losses',
      'reordering-by-size',
      'nat-hole-punching',
      'dad-conflict',
      'multicast',
      'anycast',
    ]),
  },
  {
    text: 'Recipes',
    items: entries('docs/recipes/', ['test-an-npm-package', 'ci', 'native-quic-in-ci', 'lab-without-root']),
  },
  {
    text: 'The stack',
    items: entries('docs/', ['api', 'node-dgram', 'stack', 'devices', 'ethernet', 'cli']),
  },
  {
    text: 'What it keeps to',
    items: entries('docs/', ['rfcs', 'security', 'performance', 'tests', 'architecture']),
  },
]
const reference = JSON.parse(readFileSync(join(pages, 'reference/typedoc-sidebar.json'), 'utf8'))

const listed = new Set(guides.flatMap(({ items }) => items.map(({ link }) => `${link.slice('/docs/'.length)}.md`)))
for (const path of readdirSync(join(pages, 'docs'), { recursive: true }))
  if (path.endsWith('.md') && !listed.has(path)) throw new Error(`docs/${path} is in no menu of the site`)

export default {
  title: 'tungram',
  description: 'A UDP/IP stack in a Node process, and networks of such stacks',
  srcDir: 'pages',
  outDir: '../../site',
  cacheDir: 'node_modules/.vitepress',
  cleanUrls: false,
  lastUpdated: false,
  // A dead link, to an anchor of the same site or not, ends the build.
  ignoreDeadLinks: false,
  // The reference of an entry is one page, and so one chunk.
  vite: { build: { chunkSizeWarningLimit: 2000, reportCompressedSize: false } },
  themeConfig: {
    nav: [
      { text: 'Start here', link: '/docs/start/bad-networks' },
      { text: 'Guides', link: '/docs/network' },
      { text: 'API reference', link: '/reference/' },
      { text: 'Changes', link: '/CHANGELOG' },
    ],
    sidebar: { '/reference/': reference, '/': guides },
    outline: [2, 3],
    search: { provider: 'local' },
  },
}
