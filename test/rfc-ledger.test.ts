import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { boundListed } from './differential/bound-listed.ts'
import { listed, listedOfRoutersAlone } from './differential/listed.ts'
import { type Requirement, requirements } from './rfc-ledger.ts'

const root = new URL('..', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

type Status = 'tested' | 'not applicable' | 'open'

function status({ test: shown, notApplicable }: Requirement): Status {
  if (shown !== null) return 'tested'
  return notApplicable === undefined ? 'open' : 'not applicable'
}

function render(): string {
  const ordered = [...requirements].sort(
    (a, b) => a.rfc - b.rfc || a.section.localeCompare(b.section, 'en', { numeric: true }),
  )
  const rows = ordered.map((each) => {
    const { rfc, section, asks, level, test: shown } = each
    const where = shown === null ? (each.notApplicable ?? '') : `\`${shown[0]}\`: ${shown[1]}`
    return `| ${rfc} | ${section} | ${asks} | ${level} | ${where} | ${status(each)} |`
  })
  const count = (what: Status) => requirements.filter((each) => status(each) === what).length
  return `${[
    '# The RFCs, requirement by requirement',
    '',
    'After this page you know which requirements of which RFCs the stack meets, and which test shows it.',
    '',
    'Made from `test/rfc-ledger.ts` by',
    '`TUNGRAM_WRITE_LEDGER=1 npx vitest run test/rfc-ledger.test.ts`; a test fails when this page is not',
    'up to date.',
    `${count('tested')} requirements are tested, ${count('not applicable')} do not apply, ${count('open')} are open.`,
    "Tests under `differential/` run against Linux's kernel and the stack at once.",
    '',
    '| RFC | section | requirement | level | test | status |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Compared with Linux',
    '',
    'The same raw packets go into a kernel behind a TUN and into the stack; delivered datagrams (payload,',
    'source, TTL, TOS), errors on connected sockets and every answer are compared byte by byte. Masked',
    'are the IPv4 Identification with its checksum (RFC 6864), the IPv6 flow label (RFC 6437), the',
    'Identification of IPv6 fragments (RFC 8200), times by each host’s own clock in timestamps (RFC 791,',
    'RFC 792), and an ICMP checksum of 0xffff for 0 (RFC 1071). These differences are accepted; anything',
    'else fails the test:',
    '',
    '| difference | because |',
    '|---|---|',
    ...listed.map(({ what, why }) => `| ${what} | ${why} |`),
    '',
    'Between two links, as routers, these besides, and not those of hosts that do not forward:',
    '',
    '| difference | because |',
    '|---|---|',
    ...listedOfRoutersAlone.map(({ what, why }) => `| ${what} | ${why} |`),
    '',
    'What sockets may do by their bound address, the destination, the call, and a source or an interface',
    'of the datagram’s own, is compared in all combinations: errors, local and remote address, and what',
    'goes out. These differences are accepted:',
    '',
    '| difference | because |',
    '|---|---|',
    ...boundListed.map(({ what, why }) => `| ${what} | ${why} |`),
    '',
    read('test/differential/million.md').trim(),
  ].join('\n')}\n`
}

test('every test that the ledger names exists', () => {
  // In a name, that is, and not in a comment. A long name is in pieces.
  const code = (path: string) =>
    read(path)
      .replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '')
      .replaceAll(/['"`] \+\n\s*['"`]/g, '')
  const missing = requirements.filter(
    ({ test: shown }) => shown !== null && !code(`test/${shown[0]}`).includes(shown[1]),
  )
  expect(missing.map(({ test: shown }) => shown)).toEqual([])
})

/** The documents that a UDP/IP host and router is built by. */
const DOCUMENTS = [
  768, 791, 792, 815, 826, 894, 919, 922, 1071, 1112, 1122, 1191, 1624, 1812, 2113, 2236, 2474, 2711, 2827, 3021, 3168,
  3493, 3542, 3678, 3704, 3828, 3927, 4007, 4291, 4443, 4607, 4787, 4861, 4862, 4884, 5082, 5095, 5227, 5508, 5722,
  5952, 6040, 6056, 6164, 6437, 6633, 6724, 6864, 6890, 6918, 6935, 6936, 6946, 6980, 7112, 7739, 7857, 8021, 8085,
  8200, 8201, 8504, 8899, 8900, 9776, 9777, 9868, 9869,
]

test('every document has its rows', () => {
  const known = new Set(requirements.map(({ rfc }) => rfc))
  expect(DOCUMENTS.filter((rfc) => !known.has(rfc))).toEqual([])
})

test('docs/rfcs.md is up to date', () => {
  if (process.env.TUNGRAM_WRITE_LEDGER === '1') writeFileSync(new URL('docs/rfcs.md', root), render())
  expect(read('docs/rfcs.md')).toBe(render())
})
