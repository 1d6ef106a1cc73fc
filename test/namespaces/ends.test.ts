/** However a run ends, its processes, namespaces, devices and mounts end with it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { describeForUsers, Files, on, type RunningLab, run, start } from './run.ts'

const files = new Files()
afterAll(() => files.remove())
const NET = files.write(
  'pair.yaml',
  'hosts: { a: , b: }\nrouters: { r: }\nlinks: [{ between: [a, r] }, { between: [r, b] }]\n',
)

/** A word in the command lines of a run and its programs, by which they are found in /proc. */
let mark = 0
const newMark = () => `mark-${process.pid}-${++mark}`

interface Process {
  readonly pid: number
  readonly words: string
  readonly net: string
}

/** Processes whose command line has the word; they may end while they are looked at. */
function processes(word: string): Process[] {
  return readdirSync('/proc').flatMap((name): Process[] => {
    if (!/^\d+$/.test(name)) return []
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return words.includes(word) ? [{ pid: Number(name), words, net: readlinkSync(`/proc/${name}/ns/net`) }] : []
    } catch {
      return []
    }
  })
}

/** Namespaces that a process is in. */
function namespaces(): Set<string> {
  return new Set(
    readdirSync('/proc').flatMap((name) => {
      try {
        return /^\d+$/.test(name) ? [readlinkSync(`/proc/${name}/ns/net`)] : []
      } catch {
        return []
      }
    }),
  )
}

const children = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)

/** A run whose programs do not end by themselves, and try to escape. */
async function startLab(user: 'root' | 'nobody', word: string): Promise<RunningLab> {
  const fugitive =
    `sleep 1000 & setsid sh -c 'trap "" TERM INT HUP; sleep 1000 # ${word}' & ` + `echo a runs; sleep 1000; : ${word}`
  const lab = start(user, ['--net', NET, '--on', 'a', '--', 'sh', '-c', fugitive, '--on', 'b', '--', 'ping', 'a'])
  await Promise.all([lab.says('a runs'), lab.says('bytes from')])
  return lab
}

async function untilGone(word: string): Promise<void> {
  while (processes(word).length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
}

describeForUsers('a run with programs', (user) => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    test(`ends with ${signal} in good order: programs get it, the results are printed`, async () => {
      const word = newMark()
      const lab = await startLab(user, word)
      const inside = new Set(processes(word).map(({ net }) => net))
      lab.child.kill(signal)
      const outcome = await lab.ended
      expect(outcome.code).toBe(code)
      expect(outcome.stdout).toContain(', interrupted')
      if (signal === 'SIGINT') expect(outcome.stdout).toContain('b | --- a ping statistics ---')
      expect(processes(word)).toEqual([])
      const left = namespaces()
      expect([...inside].filter((net) => left.has(net) && net !== readlinkSync('/proc/self/ns/net'))).toEqual([])
    })

  for (const which of ['the command', 'unshare', 'the process inside'])
    test(`leaves nothing behind when ${which} is killed`, async () => {
      const word = newMark()
      const lab = await startLab(user, word)
      const outside = lab.child.pid as number
      const [between = 0] = children(outside)
      const [inside = 0] = children(between)
      expect(processes(word).map(({ pid }) => pid)).toEqual(expect.arrayContaining([outside, between, inside]))
      const nets = new Set(processes(word).map(({ net }) => net))
      const own = readlinkSync('/proc/self/ns/net')
      // Three at least: that of the run and one for each host.
      expect(nets.size).toBeGreaterThanOrEqual(3)
      process.kill(which === 'the command' ? outside : which === 'unshare' ? between : inside, 'SIGKILL')
      await lab.ended
      await untilGone(word)
      const left = namespaces()
      expect([...nets].filter((net) => net !== own && left.has(net))).toEqual([])
    })

  test('ends programs that do not listen to SIGTERM', async () => {
    const word = newMark()
    const deaf = `trap "" TERM; echo deaf; while :; do sleep 0.1; done; : ${word}`
    const { code, stdout } = await run(user, ...on(NET, 'a', 'sh', '-c', deaf, '--on', 'b', '--', 'sleep', '0.3'))
    expect(code).toBe(0)
    expect(stdout).toContain('(signal SIGKILL)')
    expect(processes(word)).toEqual([])
  })

  test('changes nothing outside: no mount, no interface', async () => {
    const before = [
      readFileSync('/proc/self/mounts', 'utf8'),
      readFileSync('/proc/self/net/dev', 'utf8').split('\n').length,
    ]
    const { code } = await run(user, '--net', NET, '--on', 'a', '--', 'grep', '-q', '10.0.1.2 b', '/etc/hosts')
    expect(code).toBe(0)
    expect([
      readFileSync('/proc/self/mounts', 'utf8'),
      readFileSync('/proc/self/net/dev', 'utf8').split('\n').length,
    ]).toEqual(before)
  })
})
