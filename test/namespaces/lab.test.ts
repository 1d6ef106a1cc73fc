/** Runs as a whole: programs in the file, exit codes, results, namespaces that are there already. */
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { describeForUsers, Files, on, run, start } from './run.ts'

const PATIENCE = { timeout: 60_000 }
const files = new Files()
afterAll(() => files.remove())

const PAIR =
  'hosts: { a: , b: { echo: [7] }, c: , d: }\nrouters: { r: }\nlinks: [{ between: [a, r] }, { between: [r, b] ' +
  '}, { between: [r, c] }, { between: [r, d] }]\n'
const NET = files.write('pair.yaml', PAIR)

describeForUsers('a run with programs', (user) => {
  test('the file says which programs run where, when, how, and what is expected of them', PATIENCE, async () => {
    const net = files.write(
      'programs.yaml',
      `${PAIR}
programs:
  - { on: b, command: 'echo "$WHAT in $PWD"; exit 3', env: { WHAT: started }, cwd: /usr, expect: 3 }
  - { on: a, command: [sleep, '1000'] }
  - { on: a, command: [ping, -c1, b], start: 100ms }
`,
    )
    const { code, stdout, stderr } = await run(user, '--net', net, '--json')
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('b | started in /usr\n') })
    expect(stderr).toContain('b is a namespace of the kernel: its echo service is left out')
    const { programs, failures, hops, drops, explain, interrupted, seed } = JSON.parse(stdout)
    expect(programs).toMatchObject([
      { on: 'b', command: 'echo "$WHAT in $PWD"; exit 3', code: 3, ok: true, stopped: false },
      { on: 'a', command: 'sleep 1000', code: null, signal: 'SIGTERM', ok: true, stopped: true },
      { on: 'a', command: 'ping -c1 b', code: 0, ok: true },
    ])
    expect(programs[2].started).toBeGreaterThanOrEqual(100)
    const [there, back] = ['a', 'b'].map((from) =>
      hops.find((hop: { from: string; sent: { frames: number } }) => hop.from === from && hop.sent.frames > 0),
    )
    // The echo of 56 bytes, and what the kernels say of themselves.
    for (const hop of [there, back]) expect(hop).toMatchObject({ queue: null, utilization: null, drops: {}, marks: 0 })
    expect(there.sent.bytes).toBeGreaterThanOrEqual(84)
    expect(back.offered).toEqual(back.sent)
    expect({ failures, drops, explain, interrupted, seed }).toEqual({
      failures: [],
      drops: [],
      explain: [],
      interrupted: false,
      seed: 1,
    })
  })

  test('the exit code is that of the first program that did not end as it should', PATIENCE, async () => {
    const on = (host: string, line: string, ...options: string[]) => ['--on', host, ...options, '--', 'sh', '-c', line]
    for (const [programs, code, complaint] of [
      [on('a', 'exit 5'), 5, 'the program on a did not end as expected: exit code 5'],
      [on('a', 'exit 5', '--expect', '5'), 0, ''],
      [on('a', 'exit 0', '--expect', '5'), 1, 'the program on a did not end as expected: exit code 0'],
      [on('a', 'kill -KILL $$'), 137, 'signal SIGKILL'],
      [[...on('b', 'exit 4'), ...on('a', 'sleep 0.3')], 4, 'the program on b did not end as expected: exit code 4'],
      [[...on('b', 'exit 4', '--after', '1h'), ...on('a', 'true')], 0, ''],
    ] as const) {
      const outcome = await run(user, '--net', NET, ...programs)
      expect({ programs, code: outcome.code }).toEqual({ programs, code })
      expect(outcome.stderr).toContain(complaint)
    }
  })

  test('a command that is not there ends the run before anything is started', PATIENCE, async () => {
    const { code, stdout, stderr } = await run(user, ...on(NET, 'a', 'echo', 'x', '--on', 'c', '--', 'no-such'))
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: "tungram run: the program on c cannot be started: there is no command 'no-such'\n",
    })
  })

  test('a host that runs nothing is a stack of tungram: it answers pings and echoes', PATIENCE, async () => {
    const { code, stdout } = await run(
      user,
      ...on(NET, 'a', 'sh', '-c', 'ping -c1 b && echo hello | socat -t1 - UDP4:b:7'),
    )
    expect(code).toBe(0)
    expect(stdout).toContain('a | hello\n')
  })

  test('flows run beside programs, in real time, but for those of their hosts', PATIENCE, async () => {
    const net = files.write(
      'flows.yaml',
      `${PAIR}
flows:
  - { name: beside, from: c, to: d, count: 20, rate: 200 }
  - { name: taken, from: a, to: d, count: 20 }
`,
    )
    const report = join(files.directory, `report-${user}.html`)
    const { code, stdout, stderr } = await run(
      user,
      '--net',
      net,
      '--json',
      '--report',
      report,
      '--on',
      'a',
      '--',
      'sleep',
      '1',
    )
    expect(code).toBe(0)
    expect(stderr).toContain('1 of 2 flows left out')
    expect(JSON.parse(stdout).flows).toMatchObject([{ name: 'beside', sent: 20, received: 20 }])
    const page = readFileSync(report, 'utf8')
    for (const part of ['<h2>Programs</h2>', 'sleep 1', 'real time', 'Packet ladder', 'beside'])
      expect(page).toContain(part)
  })

  test('a network that was later than allowed makes the run fail', PATIENCE, async () => {
    const { code, stderr } = await run(user, '--net', NET, '--max-lag', '1us', '--on', 'a', '--', 'sleep', '0.1')
    expect(code).toBe(1)
    expect(stderr).toMatch(/the network was late by [\d.]+ ms, more than --max-lag allows \(0\.001 ms\)/)
  })

  test('nodes that are no hosts, and mistakes of the file, are refused', PATIENCE, async () => {
    for (const [args, code, reason] of [
      [
        ['--net', NET, '--on', 'r', '--', 'true'],
        2,
        "--on takes a host of the scenario, not 'r': there are a, b, c, d",
      ],
      [['--net', NET], 2, "name a host and a program: '--on HOST -- COMMAND', or programs in the file"],
      [['--net', '/none.yaml', '--on', 'a', '--', 'true'], 1, '/none.yaml'],
      [
        ['--net', files.write('bad.yaml', `${PAIR}programs: [{ on: r, command: ls }]\n`)],
        1,
        'bad.yaml:4:14: programs[0].on: r is a router',
      ],
    ] as const) {
      const outcome = await run(user, ...args)
      expect({ args, code: outcome.code }).toEqual({ args, code })
      expect(outcome.stderr).toContain(reason)
    }
  })
})

describeForUsers(
  'the network',
  (user) => {
    test('goes before the programs of the machine, which are of the usual kind', PATIENCE, async () => {
      const { code, stdout } = await run(user, '--net', NET, '--on', 'a', '--', 'sh', '-c', 'chrt -p 1; chrt -p $$')
      expect(code).toBe(0)
      expect(stdout.match(/policy: (\w+)/g)).toEqual(['policy: SCHED_RR', 'policy: SCHED_OTHER'])
    })
  },
  ['root'],
)

// The kernel shows slices where it is built so, and grants shorter ones since Linux 6.12.
describeForUsers(
  'without a privilege the network',
  (user) => {
    test('runs for shorter times than programs do, and goes before its own helpers', PATIENCE, async () => {
      const nices = 'cut -d" " -f19 /proc/1/task/*/stat | sort | uniq -c'
      const slices = 'grep -h se.slice /proc/1/sched /proc/$$/sched || true'
      const { code, stdout } = await run(user, '--net', NET, '--on', 'a', '--', 'sh', '-c', `${nices}; ${slices}`)
      expect(code).toBe(0)
      expect(Array.from(stdout.matchAll(/ (\d+) (\d+)$/gm), ([, count, nice]) => [Number(count) > 1, nice])).toEqual([
        [false, '0'],
        [true, '10'],
      ])
      const [own, programs] = Array.from(stdout.matchAll(/se\.slice *: *(\d+)/g), ([, slice]) => Number(slice))
      const [major = 0, minor = 0] = release().split('.').map(Number)
      if (own !== undefined && (major > 6 || (major === 6 && minor >= 12)))
        expect([own, own < Number(programs)]).toEqual([100_000, true])
    })
  },
  ['nobody'],
)

// Only root may enter what belongs to somebody else.
describeForUsers(
  'a namespace that is there already',
  (user) => {
    test('becomes a host, by the path of a process, and keeps what it has', PATIENCE, async () => {
      // Its process lives until the run has ended.
      const net = files.write('vm.yaml', 'hosts: { vm: , b: }\nlinks: [{ between: [vm, b], delay: 1ms }]\n')
      const holder = start(user, ['--net', NET, '--on', 'a', '--', 'sh', '-c', 'echo pid; exec sleep 1000'])
      await holder.says('a | pid')
      try {
        const pid = await sleeper(holder.child.pid as number)
        const { code, stdout, stderr } = await run(
          user,
          ...[
            '--net',
            net,
            '--on',
            'vm',
            '--netns',
            `/proc/${pid}/ns/net`,
            '--',
            'sh',
            '-c',
            'cat /proc/net/dev; ping -4 -c2 -i0.2 b',
          ],
        )
        expect({ code, stderr }).toMatchObject({
          code: 0,
          stderr: expect.stringContaining(`vm: tungram0 in /proc/${pid}/ns/net`),
        })
        expect(stdout).toMatch(/ eth0:.*\n.*tungram0:|tungram0:.*\n.* eth0:/)
        expect(stdout).toContain('2 received')
      } finally {
        holder.child.kill('SIGTERM')
        await holder.ended
      }
    })

    test('that is not there is told', PATIENCE, async () => {
      for (const [netns, reason] of [
        ['/proc/0/ns/net', 'There is no network namespace /proc/0/ns/net'],
        ['nobody-made-it', "No network namespace is named nobody-made-it: 'ip netns add nobody-made-it' makes it"],
      ] as const) {
        const { code, stderr } = await run(user, '--net', NET, '--on', 'a', '--netns', netns)
        expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(reason) })
      }
    })
  },
  ['root'],
)

/** The process that has become `sleep`, somewhere below. */
async function sleeper(pid: number): Promise<number> {
  for (;;) {
    const found = below(pid).find((each) => readFileSync(`/proc/${each}/cmdline`, 'utf8').startsWith('sleep\0'))
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function below(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  const children = text === '' ? [] : text.split(' ').map(Number)
  return [...children, ...children.flatMap(below)]
}
