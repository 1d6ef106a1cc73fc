/**
 * The blocks of a page of the documentation, and a folder in which a reader follows it.
 *
 * A comment in front of a block, which no reader sees, says what is special about it:
 *
 *     <!-- file: NAME -->             the block is the file NAME
 *     <!-- not run: WHY -->           it is not run here
 *     <!-- needs: WHAT; WHAT -->      it is run where that is there (NEEDS)
 *     <!-- exit: CODE -->             its command ends with this code, not 0
 *     <!-- numbers differ -->         other numbers, from run to run
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export interface Block {
  /** Where it begins in the page, from 1. */
  readonly line: number
  readonly language: string
  readonly text: string
  /** Of the comments in front of it, by their words before the colon. */
  readonly notes: Readonly<Record<string, string>>
}

/** Every fenced block of a page. */
export function blocksOf(page: string): Block[] {
  const pattern = /((?:^<!-- .* -->\n)*)^( *)```([a-z]*)[^\n]*\n([\s\S]*?)^\2```$/gm
  return [...page.matchAll(pattern)].map(
    ({ index, 1: comments = '', 2: indent = '', 3: language = '', 4: text = '' }) => ({
      line: page.slice(0, index + comments.length).split('\n').length,
      language,
      text: text.replace(new RegExp(`^${indent}`, 'gm'), ''),
      notes: Object.fromEntries(
        [...comments.matchAll(/<!-- ([\w ]+)(?:: (.*?))? -->/g)].map(([, key = '', value = '']) => [key, value]),
      ),
    }),
  )
}

/** The commands of a console block, each with the output below it. */
export function commandsOf(text: string): { command: string; output: string }[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [, command = '', output = ''] = /^((?:.*\\\n)*.*)\n?([\s\S]*)$/.exec(part) ?? []
      return { command, output }
    })
}

/** Whether an output is what a page shows: a line `…` of the page stands for any number of lines. */
export function isShown(shown: string, output: string, numbersDiffer: boolean): boolean {
  const same = (text: string) =>
    (numbersDiffer ? text.replace(/\d+(\.\d+)?/g, '0').replace(/ +/g, ' ') : text).replace(/ +$/gm, '')
  const pieces = same(shown).split(/^…\n/m)
  let rest = same(output)
  for (const [index, piece] of pieces.entries()) {
    const at = rest.indexOf(piece)
    if (at < 0 || (index === 0 && at > 0)) return false
    rest = rest.slice(at + piece.length)
  }
  return rest === '' || pieces.at(-1) === ''
}

/** A reader's folder, with the package and others installed. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'tungram-reader-'))

  constructor() {
    const modules = join(this.path, 'node_modules')
    mkdirSync(join(modules, '.bin'), { recursive: true })
    symlinkSync(root, join(modules, 'tungram'))
    writeFileSync(
      join(modules, '.bin/tungram'),
      `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli.js')}' "$@"\n`,
    )
    chmodSync(join(modules, '.bin/tungram'), 0o755)
    writeFileSync(join(this.path, 'package.json'), '{}')
  }

  /** Installs a package from where it is installed already. */
  install(from: string, name: string): void {
    const place = join(root, from, 'node_modules', name)
    symlinkSync(place, join(this.path, 'node_modules', name))
    const { bin = {} } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
    for (const [command, path] of Object.entries(typeof bin === 'string' ? { [name]: bin } : bin))
      symlinkSync(join(place, path as string), join(this.path, 'node_modules/.bin', command))
  }

  write(name: string, text: string): string {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  /** Runs a line of the shell, as `npm` gives it the commands of packages. */
  run(line: string): { code: number | null; output: string; errors: string } {
    const path = [join(this.path, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(delimiter)
    const env = { ...process.env, PATH: path, npm_config_offline: 'true', NO_COLOR: '1', COLUMNS: '80' }
    delete (env as Record<string, unknown>).FORCE_COLOR
    for (const name of Object.keys(env))
      if (/^(VITEST|TUNGRAM)/.test(name)) delete (env as Record<string, unknown>)[name]
    const { status, stdout, stderr, error } = spawnSync('sh', ['-ec', line], {
      cwd: this.path,
      encoding: 'utf8',
      timeout: 60_000,
      env,
    })
    return { code: status, output: stdout, errors: error === undefined ? stderr : `${stderr}${error.message}` }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

const works = (command: string, ...words: string[]) => spawnSync(command, words, { stdio: 'ignore' }).status === 0

/** What a block may need, and whether it is there. */
export const NEEDS: Readonly<Record<string, () => boolean>> = {
  'a TUN device': () =>
    works('unshare', '-rn', 'sh', '-c', ': < /dev/net/tun') || works('unshare', '-n', 'sh', '-c', ': < /dev/net/tun'),
  'a network namespace': () => works('unshare', '-rnmp', '--fork', 'test', '-c', '/dev/net/tun'),
  'the program iperf3': () => works('iperf3', '--version'),
  'the packages of test/drop-in': () => existsSync(join(root, 'test/drop-in/node_modules/coap')),
}
