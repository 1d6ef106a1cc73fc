/** The recipes for CI: their files are on the page, and the steps that can run here run. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { testWith } from '../skips.ts'
import { Folder, NEEDS, root } from './page.ts'

const files = join(root, 'examples/ci')
const read = (name: string) => readFileSync(join(files, name), 'utf8')
const page = readFileSync(join(root, 'docs/recipes/ci.md'), 'utf8')
const reader = new Folder()
afterAll(() => reader.remove())

const hasNamespaces = (NEEDS['a network namespace'] as () => boolean)()

test('the page shows each file as it is', () => {
  expect(readdirSync(files).length).toBe(4)
  for (const name of readdirSync(files)) expect(page, name).toContain(`\n${read(name)}\`\`\`\n`)
})

describe('GitHub Actions', () => {
  type Step = { uses?: string; run?: string; name?: string }
  const { on, jobs } = parse(read('github-actions.yml'))
  const steps = jobs.networks.steps as Step[]

  test('the workflow is one', () => {
    expect(on).toEqual(['push', 'pull_request'])
    expect(jobs.networks['runs-on']).toBe('ubuntu-latest')
    for (const { uses, run } of steps) expect([uses, run].filter((part) => part !== undefined).length).toBe(1)
    // The others make a runner what this machine has to be.
    expect(steps.filter(({ run, name }) => run && !name).map(({ run }) => run?.split(' ')[0])).toEqual([
      'npm',
      'sudo',
      'sudo',
    ])
  })

  const named = steps.flatMap(({ name, run }) => (name && run ? [[name, run] as const] : []))
  for (const [name, run] of named) {
    const needed = /unshare|run --net/.test(run)
    testWith(!needed || hasNamespaces, 'a network namespace and a TUN device')(name, () => {
      const { code, output, errors } = reader.run(run.replaceAll('npx ', ''))
      expect(code, errors).toBe(0)
      expect(output).not.toBe('')
    })
  }
})

describe('Docker', () => {
  const { services } = parse(read('compose.yaml'))
  const command = (name: string) => services[name].command.replaceAll('npx ', '')

  test('what each service may do is what the table says', () => {
    expect(services.memory.cap_add).toBeUndefined()
    expect(services.device).toMatchObject({ cap_add: ['NET_ADMIN'], devices: ['/dev/net/tun'] })
    expect(services.device.security_opt).toBeUndefined()
    expect(services.programs.cap_add).toEqual(['NET_ADMIN', 'SYS_ADMIN'])
    expect(read('Dockerfile')).toMatch(/^FROM node:\d+-slim$/m)
    const { runArgs } = JSON.parse(read('devcontainer.json'))
    expect(runArgs).toContain('--device=/dev/net/tun')
  })

  test('memory: without any capability', () => {
    const { code, output, errors } = reader.run(
      process.getuid?.() === 0 ? `setpriv --bounding-set -all --inh-caps -all ${command('memory')}` : command('memory'),
    )
    expect(code, errors).toBe(0)
    expect(output).toContain('all passed')
  })

  test('device: with CAP_NET_ADMIN alone, and no namespaces of its own', ({ skip }) => {
    if (process.getuid?.() !== 0 || !hasNamespaces) skip('root, to give capabilities away')
    const line = `unshare -n setpriv --bounding-set -all,+net_admin,+net_raw --inh-caps -all sh -ec '
      unshare -n true 2>/dev/null && exit 99
      ${command('device')} &
      for try in $(seq 100); do ping -c 1 -W 1 10.9.0.2 >/dev/null 2>&1 && break; sleep 0.1; done
      ping -c 1 -W 5 10.9.0.2
      kill $!'`
    const { code, output, errors } = reader.run(line)
    expect(code, errors).toBe(0)
    expect(output).toContain('1 received')
  })
})
