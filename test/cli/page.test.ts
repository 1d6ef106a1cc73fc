/** `tungram page`: the files of one folder, and of no others. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')
const folder = mkdtempSync(join(tmpdir(), 'tungram-page-'))
const served = join(folder, 'page')
mkdirSync(join(served, 'assets'), { recursive: true })
writeFileSync(join(served, 'index.html'), '<p>page</p>')
writeFileSync(join(served, 'assets', 'main-01234567.js'), '0')
writeFileSync(join(folder, 'secret.txt'), 'secret')
mkdirSync(join(folder, 'page-beside'))
writeFileSync(join(folder, 'page-beside', 'index.html'), 'secret')

let server: ReturnType<typeof spawn>
let url: URL
beforeAll(async () => {
  server = spawn(process.execPath, [CLI, 'page', '--port', '0', '--folder', served], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  url = new URL(`${(await once(server.stdout as NonNullable<typeof server.stdout>, 'data'))[0]}`.trim())
})
afterAll(() => {
  server.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

/** As it stands: no client makes the path shorter on its way. */
async function get(path: string, method = 'GET') {
  const asked = request({ host: url.hostname, port: url.port, path, method }).end()
  const [response] = await once(asked, 'response')
  let body = ''
  for await (const chunk of response) body += chunk
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    cache: response.headers['cache-control'],
    body,
  }
}

const page = (...words: string[]) =>
  spawnSync(process.execPath, [CLI, 'page', ...words], { encoding: 'utf8', timeout: 20_000 })

test('it serves the page, for this machine only, and what has a hash for ever', async () => {
  expect(url.hostname).toBe('127.0.0.1')
  expect(await get('/')).toMatchObject({
    status: 200,
    type: 'text/html; charset=utf-8',
    cache: 'no-cache',
    body: '<p>page</p>',
  })
  expect(await get('/assets/main-01234567.js')).toMatchObject({
    status: 200,
    type: 'text/javascript; charset=utf-8',
    cache: expect.stringContaining('immutable'),
  })
  expect(await get('/', 'HEAD')).toMatchObject({ status: 200, body: '' })
})

test('it serves nothing else', async () => {
  for (const path of [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/../page-beside/',
    '/assets',
    '/%00',
    '/%',
    '/no',
  ])
    expect(await get(path)).toMatchObject({ status: 404, body: 'not found\n' })
  expect((await get('/', 'POST')).status).toBe(405)
})

test('what it is told wrongly it says', () => {
  expect(page('--folder', folder)).toMatchObject({
    status: 1,
    stderr: `tungram page: there is no page in ${folder}: it has no index.html\n`,
  })
  expect(page('--port', url.port, '--folder', served).stderr).toContain(`port ${url.port} is in use`)
  expect(page('--port', '70000')).toMatchObject({ status: 2 })
  expect(page('now')).toMatchObject({ status: 2, stderr: expect.stringContaining('Expected 0 arguments') })
})

test('a signal ends it', async () => {
  server.kill('SIGTERM')
  expect((await once(server, 'exit'))[0]).toBe(0)
})
