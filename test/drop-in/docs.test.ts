/** The examples of the documentation and of `examples/`, run as they stand. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/socket-api/process/config.ts'
import { compile } from '../cli/program.ts'
import { here, runNode } from './child.ts'

let built: ReturnType<typeof compile>
beforeAll(() => {
  built = compile()
})
afterAll(() => built.remove())

const document = (name: string) => readFileSync(join(here, '../../docs', name), 'utf8')

/** The programs of a document, and the output that stands below each. */
function programs(text: string): [code: string, output: string][] {
  return Array.from(text.matchAll(/```js\n(.*?)```\n(?:\n```text\n(.*?)```)?/gs), ([, code = '', output = '']) => [
    code,
    output,
  ])
}

async function run(code: string, config?: object): Promise<string> {
  const path = join(built.directory, 'program.mjs')
  writeFileSync(path, code)
  const { stdout, stderr } = await runNode(['--import', join(built.directory, 'socket-api/register.js'), path], config)
  expect(stderr).toBe('')
  return stdout
}

describe('docs/network-process.md', () => {
  const all = programs(document('network-process.md'))
  test('has programs', () => {
    expect(all.length).toBe(2)
  })
  test.each(all)('%s', async (code, output) => {
    expect(await run(code)).toBe(output)
  })
})

describe('docs/drop-in.md', () => {
  const text = document('drop-in.md')
  const configs = Array.from(text.matchAll(/```json\n(.*?)```/gs), ([, json = '']) => json)

  test('its configurations are valid', () => {
    expect(configs.map((json) => Object.keys(readConfig(json))[0])).toEqual(['tun', 'hosts'])
  })

  test('its program runs on the hosts of its configuration', async () => {
    const [[code, output] = ['', ''], ...more] = programs(text)
    expect(more).toEqual([])
    // All packets arrive, for once.
    expect(await run(code, { ...JSON.parse(configs[1] as string), loss: 0 })).toBe(output)
  })

  test('its packages are those that are tested', () => {
    const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
    for (const name of Object.keys(dependencies)) expect(text).toContain(name)
  })

  test('every key has its row', () => {
    const rows = new Set(
      Array.from(text.matchAll(/^\| (`.*?) \|/gm), ([, keys = '']) => keys)
        .join()
        .match(/(?<=`)[\w.]+(?=`)/g),
    )
    expect([...rows].sort()).toEqual(
      (
        'capture delay host hosts hosts.NAME hosts.NAME.echo loss mtu seed tap tun tun.address tun.gateway ' +
        'tun.name tun.peer'
      ).split(' '),
    )
  })
})

test('examples/emacs-echo.mjs', async () => {
  const path = join(built.directory, 'emacs-echo.mjs')
  copyFileSync(join(here, '../../examples/emacs-echo.mjs'), path)
  expect(await runNode([path])).toEqual({ code: 0, stdout: 'the echo of: hello\n', stderr: '' })
})
