/** `npm run page`: builds the laboratory in the browser; its packages are installed when they are not there. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..', '..', 'page')
const run = (command, words, cwd) => {
  const { status, error } = spawnSync(command, words, { cwd, stdio: 'inherit' })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

if (!existsSync(join(folder, '..', 'node_modules'))) {
  console.error('page: the packages of the project itself are not there: run npm ci first')
  process.exit(1)
}
if (!existsSync(join(folder, 'node_modules', 'vite'))) {
  console.log('page: its packages are not there yet: npm ci in page/')
  run('npm', ['ci', '--no-audit', '--no-fund'], folder)
}
run(process.execPath, [join(folder, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], folder)
console.log('page: built in page/dist; npx tungram page serves it, and so does any file server')
