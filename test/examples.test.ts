/** The programs in `examples/` and the README's, as a user runs them. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)

async function output(path: string, ...before: string[]): Promise<string> {
  const [command = '', ...words] = [...before, process.execPath, path]
  const { stdout } = await run(command, words, { cwd: root, timeout: 20_000 })
  return stdout
}

test('examples/fragments.mjs', async () => {
  expect(await output('examples/fragments.mjs')).toBe('10.0.0.1 sent 4000 bytes in 8 fragments, TTL 64\n')
})

test('examples/drops.mjs', async () => {
  const lines = (await output('examples/drops.mjs')).trim().split('\n')
  expect(lines).toContain('fd00::2 reports ICMPv6 type 1 code 4')
  expect(lines.some((line) => /^alice: \d × WireLoss \(link\)$/.test(line))).toBe(true)
  expect(lines.some((line) => /^bob: \d × UdpNoPort \(udp\)$/.test(line))).toBe(true)
})

test('examples/emacs-echo.mjs', async () => {
  expect(await output('examples/emacs-echo.mjs')).toBe('the echo of: hello\n')
})

for (const [name, expected] of [
  ['tun-echo', '10.9.0.2 answered hello\n'],
  ['two-workers', '30 answers, from both workers\n'],
] as const) {
  test(`examples/${name}.mjs, in a namespace of its own`, async ({ skip }) => {
    try {
      await run('unshare', ['-n', 'test', '-c', '/dev/net/tun'])
    } catch {
      if (process.env.TUNGRAM_REQUIRE_TUN === '1')
        throw new Error('TUNGRAM_REQUIRE_TUN is set, and no namespace or TUN device is to be had')
      skip("a network namespace and a TUN device: run as root, or under 'unshare -rn'")
    }
    expect(await output(`examples/${name}.mjs`, 'unshare', '-n')).toBe(expected)
  })
}

test("the README's first program prints what its comment says", async () => {
  const program = /```js\n(import \{ Segment[\s\S]*?)```/.exec(
    readFileSync(join(root, 'README.md'), 'utf8'),
  )?.[1] as string
  const directory = mkdtempSync(join(root, 'node_modules', '.readme-'))
  try {
    const path = join(directory, 'program.mjs')
    writeFileSync(path, program.replace("'tungram'", JSON.stringify(join(root, 'dist/index.js'))))
    expect(await output(path)).toMatch(/^10\.0\.0\.1:\d+ sent 4000 bytes\n$/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
