import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { checkCommand } from '../../src/namespaces/find-command.ts'

const directory = mkdtempSync(join(tmpdir(), 'tungram-'))
afterAll(() => rmSync(directory, { recursive: true }))
mkdirSync(join(directory, 'bin'))
writeFileSync(join(directory, 'bin/tool'), '#!/bin/sh\n', { mode: 0o755 })
writeFileSync(join(directory, 'bin/text'), '')
chmodSync(join(directory, 'bin/text'), 0o644)

const check =
  (command: string, path?: string, cwd = directory) =>
  () =>
    checkCommand('host', command, cwd, path)

test('a command is found by the PATH, or by its own path from where it runs', () => {
  expect(check('tool', `/none:${directory}/bin`)).not.toThrow()
  expect(check('tool', 'bin')).not.toThrow()
  expect(check('bin/tool', '')).not.toThrow()
  expect(check('sh')).not.toThrow()
})

test('what cannot be started is told with the host and the reason', () => {
  expect(check('none')).toThrow("the program on host cannot be started: there is no command 'none'")
  expect(check('tool', '/none')).toThrow("there is no command 'tool'")
  expect(check('./bin')).toThrow("there is no command './bin'")
  expect(check('bin/text')).toThrow("'bin/text' may not be executed")
  expect(check('sh', undefined, '/none')).toThrow('there is no directory /none')
})
