/** What the shells complete, asked of the shells that are there. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testWith } from '../skips.ts'
import { compile, start } from './program.ts'

const has = (program: string) => spawnSync(program, ['--version']).status === 0

describe('the command', () => {
  let program: ReturnType<typeof compile>
  beforeAll(() => {
    program = compile()
  }, 120_000)
  afterAll(() => program.remove())
  const run = (args: string[]) => start(program.cli, args).end()

  const script = async (shell: string) => {
    const { code, stdout } = await run(['completion', shell])
    expect(code).toBe(0)
    const path = join(program.directory, `tungram.${shell}`)
    writeFileSync(path, stdout)
    return path
  }

  test('completes in bash', async () => {
    const path = await script('bash')
    const complete = (...words: string[]) => {
      const setup =
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash's
        'source "$1"; shift; COMP_WORDS=(tungram "$@"); COMP_CWORD=$#; _tungram; printf "%s " "${COMPREPLY[@]}"'
      const { stdout } = spawnSync('bash', ['-c', setup, 'bash', path, ...words], {
        encoding: 'utf8',
        cwd: join(import.meta.dirname, '../../examples'),
      })
      return stdout.trim()
    }
    expect(complete('se')).toBe('send')
    expect(complete('completion', '')).toBe('bash zsh fish')
    expect(complete('help', 'tr')).toBe('trace')
    expect(complete('send', '--t')).toBe('--to --ttl --tos --tun --tap')
    expect(complete('send', '--df', '')).toBe('off want do probe')
    expect(complete('send', '--df', '--da')).toBe('--data')
    expect(complete('send', '--to', '')).toBe('')
    expect(complete('sim', 'scen')).toBe('scenarios')
    expect(complete('ping', '-W', 's')).toBe('')
  }, 30_000)

  testWith(has('fish'), 'the program fish', '')(
    'completes in fish',
    async () => {
      const path = await script('fish')
      const complete = (line: string) => {
        const { stdout, stderr } = spawnSync('fish', ['-N', '-c', `source ${path}; complete -C '${line}'`], {
          encoding: 'utf8',
          env: { ...process.env, HOME: program.directory },
        })
        expect(stderr).toBe('')
        return stdout.split('\n').flatMap((each) => (each === '' ? [] : [each.split('\t')[0]]))
      }
      expect(complete('tungram se')).toEqual(['send'])
      expect(complete('tungram send --t').sort()).toEqual(['--tap', '--to', '--tos', '--ttl', '--tun'])
      expect(complete('tungram mtu --method p')).toEqual(['probing'])
      expect(complete('tungram completion ').sort()).toEqual(['bash', 'fish', 'zsh'])
    },
    30_000,
  )

  testWith(has('zsh'), 'the program zsh', '')(
    'completes in zsh',
    async () => {
      const path = await script('zsh')
      // A terminal within zsh: types the words and a Tab, and reads what the line has become.
      const driver = `zmodload zsh/zpty
      zpty shell "TERM=dumb HOME=${program.directory} zsh -f -i"
      zpty -w shell 'autoload -U compinit && compinit -u -D; source ${path}; PS1=typ''e:'
      zpty -r shell seen '*type:*'
      zpty -w -n shell "$1"$'\\t'
      zpty -r shell seen "*$2*"
      print -r -- "$seen"`
      for (const [line, completed] of [
        ['tungram sen', 'tungram send '],
        ['tungram send --broa', 'tungram send --broadcast '],
        ['tungram mtu --method prob', 'tungram mtu --method probing '],
      ] as const) {
        const words = ['-f', '-c', driver, 'zsh', line, completed]
        expect(spawnSync('zsh', words, { encoding: 'utf8', timeout: 50_000 }).stdout).toContain(completed)
      }
    },
    180_000,
  )
})
