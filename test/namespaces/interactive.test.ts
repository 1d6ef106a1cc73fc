/** A program that has the terminal: `tungram run --net FILE --on HOST -i -- sh`, at a terminal. */
import { afterAll, expect, test } from 'vitest'
import { skipAloud } from '../skips.ts'
import { describeForUsers, Files, has, startAtTerminal } from './run.ts'

const files = new Files()
afterAll(() => files.remove())
const NET = files.write('pair.yaml', 'hosts: { a: , b: }\nlinks: [{ between: [a, b] }]\n')

describeForUsers('an interactive program', (user) => {
  if (!has('script')) {
    skipAloud('has the terminal', 'the program script')
    return
  }
  test('has the terminal, Ctrl-C included, and gives it back with its exit code', { timeout: 60_000 }, async () => {
    const lab = startAtTerminal(
      user,
      ['--net', NET, '--on', 'a', '-i', '--', 'sh'],
      // Whoever may not read from the terminal is stopped.
      'echo "code=$?"; read line; echo "then read=$line"',
    )
    const type = (text: string) => lab.child.stdin?.write(text)
    await lab.says('# ')
    type('test -t 0 && echo "terminal"=yes; echo "host"=$(hostname)\n')
    await lab.says('terminal=yes')
    await lab.says('host=a')
    type('ping -c1 -q b; echo "ping"=$?\n')
    await lab.says('ping=0')
    // Ends what the shell has started, and nothing else.
    type('echo "sleep"=s; sleep 1000\n')
    await lab.says('sleep=s')
    await new Promise((resolve) => setTimeout(resolve, 300))
    type('\x03')
    await new Promise((resolve) => setTimeout(resolve, 100))
    type('echo "after"=$?\n')
    await lab.says('after=130')
    type('exit 7\n')
    await lab.says('code=7')
    type('typed\n')
    await lab.says('then read=typed')
    const { stdout } = await lab.ended
    expect(stdout).not.toMatch(/cannot set|can't access|Cannot/i)
    // Without a prefix, unlike other programs.
    expect(stdout).not.toContain('a | ')
  })
})
