import { expect, test } from 'vitest'
import { checkScenario } from '../../../src/network/scenario/scenario.ts'

const LAB = {
  hosts: { a: {}, b: {}, alone: {} },
  routers: { r: {} },
  links: [{ between: ['a', 'r'] }, { between: ['r', 'b'] }],
}
const check = (...programs: unknown[]) => checkScenario({ ...LAB, programs })

test('programs are a command in words or as a line for sh, and when, where and how they run', () => {
  const programs = [
    { on: 'a', command: ['iperf3', '-s'] },
    { on: 'b', command: 'iperf3 -c a | tail -1', start: '1s', env: { LANG: 'C' }, cwd: '/tmp', expect: 0 },
  ]
  expect(check(...programs).programs).toEqual(programs)
})

for (const [name, program, reason] of [
  ['no host', { command: 'true' }, 'programs[0]: '],
  ['no command', { on: 'a' }, 'programs[0]: '],
  ['an empty command', { on: 'a', command: [] }, 'programs[0].command: '],
  ['a blank line', { on: 'a', command: ' ' }, 'programs[0].command: '],
  ['an unknown host', { on: 'c', command: 'true' }, 'programs[0].on: No node is named c: there are '],
  ['a router', { on: 'r', command: 'true' }, 'programs[0].on: r is a router: programs run on hosts'],
  ['a host without a cable', { on: 'alone', command: 'true' }, 'programs[0].on: alone has no cable'],
  ['a start that is no time', { on: 'a', command: 'true', start: 'soon' }, 'programs[0].start: '],
  ['an exit code that is none', { on: 'a', command: 'true', expect: 256 }, 'programs[0].expect: 256 is above 255'],
  ['a variable that is no text', { on: 'a', command: 'true', env: { N: 1 } }, 'programs[0].env.N: '],
  ['an unknown key', { on: 'a', command: 'true', after: '1s' }, 'programs[0]'],
] as const)
  test(`${name} is refused with the place`, () => {
    expect(() => check(program)).toThrow(reason)
  })
