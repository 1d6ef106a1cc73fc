import { expect, test } from 'vitest'
import { readPrograms } from '../../src/cli/run-net-arguments.ts'
import { UsageError } from '../../src/cli/usage.ts'

const read = (line: string) => readPrograms(line.split(' '))

test('options of the run come first, then a group for each host, whose command goes on to the next', () => {
  const { values, groups, maxLag, isInteractive } = read(
    '--net lab.yaml --max-lag 5ms --json --on server -- iperf3 -s --on client --after 1.5s --expect 2 --env ' +
      'A=b=c --cwd /tmp -- iperf3 -c server --json',
  )
  expect(values).toMatchObject({ net: 'lab.yaml', json: true })
  expect({ maxLag, isInteractive }).toEqual({ maxLag: 5, isInteractive: false })
  expect(groups).toMatchObject([
    { on: 'server', command: ['iperf3', '-s'], after: 0, expect: null, netns: null, env: {}, cwd: process.cwd() },
    {
      on: 'client',
      command: ['iperf3', '-c', 'server', '--json'],
      after: 1500,
      expect: 2,
      env: { A: 'b=c' },
      cwd: '/tmp',
    },
  ])
})

test('a run is warm unless it is said', () => {
  expect(read('--net f --on a -- true').isWarm).toBe(true)
  const { isWarm, values } = read('--no-warm-up --net f --json --on a -- true')
  expect({ isWarm, values }).toEqual({ isWarm: false, values: { net: 'f', json: true } })
})

test('a namespace needs no command, and may have one; one program has the terminal', () => {
  const { groups, isInteractive } = read('--net f --on vm --netns /proc/1/ns/net --on a -i -- bash')
  expect(groups).toMatchObject([
    { on: 'vm', netns: '/proc/1/ns/net', command: [] },
    { on: 'a', isInteractive: true, command: ['bash'] },
  ])
  expect(isInteractive).toBe(true)
})

for (const [line, reason] of [
  ['--on a -- true', 'name the scenario: --net FILE'],
  ['--net f --on a', "name the program on a after '--'"],
  ['--net f --on a --', "name the program on a after '--'"],
  ['--net f --on a --after soon -- true', '--after takes a time such as 250us, 5ms or 2s'],
  ['--net f --on a --expect 256 -- true', '--expect takes a whole number from 0 to 255'],
  ['--net f --on a --env =x -- true', '--env takes NAME=VALUE'],
  ['--net f --max-lag -1 --on a -- true', 'max-lag'],
  ['--net f --ladder 5 --on a -- true', '--ladder is for --report'],
  ['--net f --on a -i -- sh --on b -i -- sh', 'give --interactive once'],
  ['--net f --json --on a -i -- sh', '--json and --interactive exclude each other'],
  ['--net f --on a --netns x -i', '--interactive is for a program'],
  ['--net f --colour --on a -- true', "Unknown option '--colour'"],
] as const)
  test(`${line}: refused`, () => {
    expect(() => read(line)).toThrow(UsageError)
    expect(() => read(line)).toThrow(reason)
  })
