/** What a command loads before it knows what to do: its start is what a user waits for. */
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../src')

/** Every file that is loaded with one, without what it loads later by `import()`. */
function loadedWith(file: string): Set<string> {
  const loaded = new Set([file])
  for (const path of loaded) {
    const code = readFileSync(join(root, path), 'utf8')
    const imports = code.matchAll(/^(?:import|export)\s+(?!type\b)(?:[\w*{][^'";]*?\sfrom\s+)?'(\.[^']+)'/gm)
    for (const [, name = ''] of imports) loaded.add(normalize(join(dirname(path), name)))
  }
  return loaded
}

test.each(['echo', 'recv', 'send', 'ping', 'trace', 'mtu'])(
  'help and wrong usage of %s load no stack, device or scenario',
  (name) => {
    const loaded = loadedWith(`cli/${name}.ts`)
    expect(
      [...loaded].filter((path) => /^(stack|link\/device\/tun|network\/scenario\/scenario)\.ts$/.test(path)),
    ).toEqual([])
    expect(loaded.size).toBeLessThan(40)
  },
)

test('a command on a device loads the stack when it opens it, and no scenario', () => {
  const loaded = loadedWith('cli/open-host.ts')
  expect(loaded).toContain('stack.ts')
  expect(loaded).toContain('link/device/tun.ts')
  expect(loaded).not.toContain('network/scenario/scenario.ts')
})
