import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { listed } from './differential/listed.ts'
import { requirements } from './rfc-ledger.ts'

const root = new URL('..', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

function render(): string {
  const ordered = [...requirements].sort((a, b) => a.rfc - b.rfc || a.section.localeCompare(b.section, 'en', { numeric: true }))
  const rows = ordered.map(({ rfc, section, asks, level, test: shown }) => {
    const where = shown === null ? '' : `\`${shown[0]}\`: ${shown[1]}`
    return `| ${rfc} | ${section} | ${asks} | ${level} | ${where} | ${shown === null ? 'open' : 'tested'} |`
  })
  const tested = requirements.filter((each) => each.test !== null).length
  return `${[
    '# The RFCs, requirement by requirement',
    '',
    'Made from `test/rfc-ledger.ts` by `TUNGRAM_WRITE_LEDGER=1 npx vitest run test/rfc-ledger.test.ts`; a test fails when this page is not up to date.',
    `${tested} requirements are tested, ${requirements.length - tested} are open. Tests under \`differential/\` run against Linux's kernel and the stack at once.`,
    '',
    '| RFC | section | requirement | level | test | status |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Compared with Linux',
    '',
    'The same raw packets go into a kernel behind a TUN and into the stack; delivered datagrams (payload, source, TTL, TOS), errors on connected',
    'sockets and every answer are compared byte by byte. Masked are the IPv4 Identification with its checksum (RFC 6864), the IPv6 flow label',
    '(RFC 6437), the Identification of IPv6 fragments (RFC 8200), the times in Timestamp Replies, and an ICMP checksum of 0xffff for 0 (RFC 1071).',
    'These differences are accepted; anything else fails the test:',
    '',
    '| difference | because |',
    '|---|---|',
    ...listed.map(({ what, why }) => `| ${what} | ${why} |`),
    '',
    read('test/differential/million.md').trim(),
  ].join('\n')}\n`
}

test('every test that the ledger names exists', () => {
  const missing = requirements.filter(({ test: shown }) => shown !== null && !read(`test/${shown[0]}`).includes(shown[1]))
  expect(missing.map(({ test: shown }) => shown)).toEqual([])
})

test('docs/rfcs.md is up to date', () => {
  if (process.env.TUNGRAM_WRITE_LEDGER === '1') writeFileSync(new URL('docs/rfcs.md', root), render())
  expect(read('docs/rfcs.md')).toBe(render())
})
