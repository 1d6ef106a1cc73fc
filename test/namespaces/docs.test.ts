/** The networks of `examples/programs`, the pages that show them, and what they claim. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readPrograms } from '../../src/cli/run-net-arguments.ts'
import { readScenarioFile } from '../../src/cli/scenario-file.ts'
import { checkScenario } from '../../src/network/scenario/scenario.ts'
import { describeForUsers, has, on, runWarm } from './run.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const examples = 'examples/programs'
const pages = ['docs/programs.md', 'docs/recipes/native-quic-in-ci.md', 'docs/recipes/lab-without-root.md']
const PATIENCE = { timeout: 60_000 }

test('each example is a scenario, and a recipe shows it as it is, or it says how it is run', () => {
  const files = readdirSync(join(root, examples))
  expect(files.length).toBe(3)
  for (const file of files) {
    expect(readScenarioFile(join(root, examples, file)).name).toBeTruthy()
    const text = read(`${examples}/${file}`)
    const isShown = pages.some((page) => read(page).includes(`\`\`\`yaml\n${text}\`\`\``))
    expect({ file, shown: isShown || text.includes(`tungram run --net ${examples}/${file}`) }).toEqual({
      file,
      shown: true,
    })
  }
})

test.each(pages)('the commands of %s are ones that the command takes', (page) => {
  const shell = [...read(page).matchAll(/```sh\n([\s\S]*?)```/g)]
    .map(([, text = '']) => text.replaceAll('\\\n', ' '))
    .join('')
  const commands = [...shell.matchAll(/^(?:sudo )?tungram run (--net .*)$/gm)]
  expect(commands.length).toBeGreaterThan(0)
  for (const [, words = ''] of commands)
    expect(() => readPrograms(words.replace(/ +#.*/, '').trim().split(/ +/))).not.toThrow()
})

test('the programs of a page are ones that a file may have', async () => {
  const { parse } = await import('yaml')
  const [, text = ''] = /```yaml\n(programs:[\s\S]*?)```/.exec(read('docs/programs.md')) ?? []
  const scenario = { hosts: { client: {}, server: {} }, links: [{ between: ['client', 'server'] }], ...parse(text) }
  expect(checkScenario(scenario).programs?.length).toBe(2)
})

describeForUsers('the examples', (user) => {
  test('a download over loss', PATIENCE, async ({ skip }) => {
    if (!has('curl')) skip('the program curl')
    const { code, stdout } = await runWarm(user, '--net', `${examples}/download.yaml`)
    expect(code).toBe(0)
    expect(stdout).toContain('client | 200 1\n')
  })

  test('the lab has the delay, the MTU and the neighbors that the recipe tells of', PATIENCE, async () => {
    const line =
      'ping -4 -c1 carl; cat /proc/net/arp; ping -4 -M do -s 1450 -c1 carl; ping -4 -M do -s 1450 -c1 carl; true'
    const { code, stdout, stderr } = await runWarm(user, ...on(`${examples}/student-lab.yaml`, 'ann', 'sh', '-c', line))
    expect(code).toBe(0)
    expect(stdout).toMatch(/time=(4\d|[5-9]\d|\d{3})(\.\d+)? ms/)
    // The router's, and nobody else's.
    expect(stdout.match(/\d +0x1 +0x2 /g)?.length).toBe(1)
    expect(stdout + stderr).toMatch(/mtu ?= ?1400/)
  })

  test('datagrams cross the bad network, some not', PATIENCE, async () => {
    const { code, stdout } = await runWarm(
      user,
      ...[
        '--net',
        `${examples}/bad-network.yaml`,
        '--on',
        'client',
        '--',
        'ping',
        '-4',
        '-q',
        '-c200',
        '-i0.005',
        'server',
      ],
    )
    expect(code).toBe(0)
    const [, received = ''] = /200 packets transmitted, (\d+) received/.exec(stdout) ?? []
    expect(Number(received)).toBeGreaterThan(140)
    expect(Number(received)).toBeLessThan(200)
  })
})
