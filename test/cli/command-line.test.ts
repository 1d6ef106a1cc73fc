import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nearest, option, readCommandLine, repeatable } from '../../src/cli/command-line.ts'
import { commands } from '../../src/cli/commands.ts'
import { helpText } from '../../src/cli/help.ts'
import { manPages } from '../../src/cli/man-page.ts'
import { UsageError } from '../../src/cli/usage.ts'
import { testWith } from '../skips.ts'
import { compile, start } from './program.ts'

const has = (program: string) => spawnSync(program, ['--version']).status === 0

describe('words of a command line', () => {
  const options = {
    to: option('--to <ADDR:PORT>', 'where to'),
    df: option('-F, --df [MODE]', 'fragmentation'),
    json: option('--json', 'print JSON'),
    icmpRateLimit: option('--icmp-rate-limit <PPS>', 'a rate'),
    peer: repeatable('--peer <CIDR>', 'an address'),
  } as const

  test('become values and positionals, in any order', () => {
    const words = ['a', '--peer', '1', '--to=x', 'b', '--peer', '2', '--icmp-rate-limit', 'off', '--df', '--', '--json']
    expect(readCommandLine(words, options, { allowPositionals: true })).toEqual({
      values: { peer: ['1', '2'], to: 'x', icmpRateLimit: 'off', df: true },
      positionals: ['a', 'b', '--json'],
    })
    expect(readCommandLine(['-F', 'want'], options).values).toEqual({ df: 'want' })
  })

  test('are refused with the nearest that is known', () => {
    for (const [words, message] of [
      [['--nonsense'], "Unknown option '--nonsense'"],
      [['--jsno'], "Unknown option '--jsno': did you mean '--json'?"],
      [['--to'], "Option '--to <ADDR:PORT>' argument missing"],
      [['file'], 'Too many arguments. Expected 0 arguments but got 1'],
    ] as const)
      expect(() => readCommandLine(words, options), words[0]).toThrow(new UsageError(message))
    expect(nearest('sned', ['send', 'sim', 'seed'])).toBe("'seed' or 'send'")
    expect(nearest('fly', ['send', 'sim'])).toBe('')
  })

  test('are described under the names that they have', () => {
    expect(() => readCommandLine([], { other: option('--to <X>', 'x') })).toThrow("'--to <X>' is described as other")
  })
})

test.each([60, 80, 100, 200])('help has all options and fits a terminal of %i columns', async (width) => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: width }) as unknown as NodeJS.WriteStream
  for (const [name, { load }] of commands) {
    const { description } = await load()
    const help = stripVTControlCharacters(helpText(name, description, terminal))
    // Command lines to be copied stay whole.
    const lines = help.replace(/\nExamples?:[\s\S]*/, '').split('\n')
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(Math.min(width, 100))
    for (const { options } of description.groups)
      for (const { flags } of Object.values(options)) expect(help).toContain(flags.replace(/[<>]/g, ''))
    for (const example of description.examples) expect(help).toContain(example)
  }
})

describe('the program', () => {
  let program: ReturnType<typeof compile>
  beforeAll(() => {
    program = compile()
  }, 120_000)
  afterAll(() => program.remove())
  const run = (args: string[], settings = {}) => start(program.cli, args, undefined, settings).end()

  test('says what is wrong last and alone, with the nearest right word', async () => {
    expect(await run(['slim'])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        "Usage: tungram COMMAND [options]\n\ntungram: there is no command 'slim': did you mean 'sim'?\n" +
        "try 'tungram --help'\n",
    })
    const { code, stderr } = await run(['sim', 'lab.yaml', '--reprot', 'x'])
    expect(code).toBe(2)
    expect(stderr.split('\n').slice(-4)).toEqual([
      '',
      "tungram sim: Unknown option '--reprot': did you mean '--report'?",
      "try 'tungram sim --help'",
      '',
    ])
  }, 30_000)

  test('prints the same help in both ways', async () => {
    const settings = { COLUMNS: '70' }
    const { code, stdout, stderr } = await run(['help', 'trace'], settings)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect((await run(['trace', '--help'], settings)).stdout).toBe(stdout)
    expect((await run(['help', 'slim'])).code).toBe(2)
    expect((await run(['help', 'sim', 'send'])).stderr).toContain('tungram help: name one command\n')
  }, 30_000)

  test('uses colours where FORCE_COLOR says so, and none with NO_COLOR', async () => {
    const colour = '\x1b['
    expect((await run(['help', 'sim'], { FORCE_COLOR: '1' })).stdout).toContain(`${colour}1mOptions:`)
    expect((await run(['help', 'sim'], { FORCE_COLOR: '0' })).stdout).not.toContain(colour)
    expect((await run(['help', 'sim'], { NO_COLOR: '1' })).stdout).not.toContain(colour)
    expect((await run(['slim'], { FORCE_COLOR: '1' })).stderr).toContain(`${colour}31mtungram: there is no command`)
  }, 30_000)
})

describe('man pages', () => {
  test('are those that the package names', async () => {
    const { man, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    const pages = await manPages(commands, version)
    expect(man).toEqual(pages.map(({ file }) => `dist/man/${file}`))
    for (const { file, text } of pages) {
      const built = readFileSync(new URL(`../../dist/man/${file}`, import.meta.url), 'utf8')
      expect({ file, text: built }).toEqual({ file, text })
    }
  })

  testWith(
    has('groff'),
    'the program groff',
    '',
  )('are sound in the eyes of groff', async () => {
    for (const { file, text } of await manPages(commands, '1.0.0')) {
      const { status, stdout, stderr } = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-P-cbou'], {
        input: text,
        encoding: 'utf8',
      })
      expect({ file, status, stderr }).toEqual({ file, status: 0, stderr: '' })
      if (file === 'tungram-nc.1') expect(stdout.replaceAll(/\s+/g, ' ')).toContain("behind the input's end, default 1")
      if (file === 'tungram-send.1') expect(stdout).toContain('--to ADDR:PORT')
    }
  })
})
