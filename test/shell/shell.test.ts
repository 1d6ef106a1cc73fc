import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readScenarioFile } from '../../src/cli/scenario-file.ts'
import { Network } from '../../src/network/network.ts'
import { buildScenario } from '../../src/network/scenario/scenario.ts'
import { Shell } from '../../src/shell/shell.ts'

const root = join(import.meta.dirname, '../..')
const TTL = join(root, 'examples/scenarios/ttl-scoping.yaml')
const BLACK_HOLE = join(root, 'examples/scenarios/pmtu-black-hole.yaml')

/** What a line says on a host, and its exit code. */
async function say(network: Network, host: string, line: string) {
  const lines: string[] = []
  const times: number[] = []
  const shell = new Shell(network, host, (text, time) => {
    lines.push(text)
    times.push(time)
  })
  const code = await network.run(shell.execute(line))
  return { code, lines, times }
}

function pair(): Network {
  const network = new Network({ seed: 1 })
  network.host('a')
  network.host('b')
  network.connect('a', 'b', { delay: 10 })
  return network
}

test.each([
  [BLACK_HOLE, 'client', 'ping -c 3 -i 0.5 server'],
  [BLACK_HOLE, 'client', 'mtu server'],
  [TTL, 'near', 'trace -q2 far'],
  [TTL, 'near', 'ping -6 --count=2 --ttl 1 far'],
])('%s: %s says to "%s" what tungram prints', async (file, host, line) => {
  const network = buildScenario(readScenarioFile(file), { lineage: 0 })
  const { lines } = await say(network, host, line)
  network.close()
  const [name = '', ...words] = line.split(' ')
  const args = [join(root, 'dist/cli.js'), name, '--on', file, '--from', host, ...words]
  let printed: string
  try {
    printed = execFileSync(process.execPath, args, { encoding: 'utf8' })
  } catch (error) {
    printed = (error as { stdout: string }).stdout
  }
  expect(lines).toEqual(printed.trimEnd().split('\n'))
})

test('lines come at their moments', async () => {
  const network = pair()
  const { code, lines, times } = await say(network, 'a', 'ping -c 2 b')
  expect(code).toBe(0)
  expect(lines[1]).toBe('64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=20.0 ms')
  expect(times.slice(0, 3)).toEqual([0, 20, 1020])
  network.close()
})

test('nc sends what echo says, hears the answer, and sees a port that is closed', async () => {
  const network = pair()
  const heard: string[] = []
  const listener = new Shell(network, 'b', (line) => heard.push(line))
  const listening = listener.execute('nc -l 7')
  const { code, lines } = await say(network, 'a', `echo 'hello  there' "| world" | nc b 7`)
  expect([code, lines]).toEqual([0, []])
  expect(heard).toEqual(['listening on port 7', 'hello  there | world'])
  listener.interrupt()
  expect(await listening).toBe(0)
  expect(await say(network, 'a', 'echo hello | nc b 7')).toMatchObject({
    code: 1,
    lines: ['b answers that port 7 is closed'],
  })
  network.close()
})

test('netstat, routes and help show what there is', async () => {
  const network = pair()
  network.stack('a').udp.createEndpoint(4, { receive() {}, flush() {}, icmp() {} })
  expect((await say(network, 'a', 'netstat')).lines.slice(0, 3)).toEqual([
    'lo: mtu 65536  127.0.0.1/8 ::1/128',
    '    received 0 packets (0 bytes), sent 0 packets (0 bytes)',
    expect.stringMatching(/^eth0: mtu 1500 {2}10\.0\.0\.1\/24 /),
  ])
  expect((await say(network, 'a', 'routes')).lines.join('\n')).toContain('10.0.0.0/24 dev eth0')
  const { lines } = await say(network, 'a', 'help')
  expect(lines[0]).toBe('ping HOST [options]     Sends ICMP echo requests and prints the replies and errors.')
  expect((await say(network, 'a', 'help ping')).lines.join('\n')).toMatch(
    /usage: ping HOST .*-c, --count N {2,}requests/s,
  )
  network.close()
})

test.each([
  ['ping', 'ping: name one host to ping'],
  ['ping nobody', "ping: 'nobody' is no IPv4 address, and no host of the scenario with one"],
  ['ping -c', 'ping: -c takes a value: -c, --count <N>'],
  ['ping --counts 3 b', /^ping: there is no option '--counts': there are -4 --ipv4/],
  ['ping -4 -6 b', 'ping: -4 and -6 exclude each other'],
  ['ping -4=1 b', "ping: -4 takes no value, such as '=1'"],
  ['fly', "fly: there is no such command: 'help' shows what there is"],
  ['constructor', "constructor: there is no such command: 'help' shows what there is"],
  ['help fly', "help: there is no command 'fly': 'help' shows what there is"],
  ['routes all', "routes: it takes no words, such as 'all'"],
  ['ping b | nc b 7', "a pipe leads from echo to nc: 'echo TEXT | nc HOST PORT'"],
  [`echo "it's`, 'the quote " has no end'],
])('%s is wrong, and says why', async (line, message) => {
  const network = pair()
  const { code, lines } = await say(network, 'a', line)
  expect(code).toBe(2)
  expect(lines).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)])
  network.close()
})

test('a host that does not exist has no terminal, and a line without words does nothing', async () => {
  const network = pair()
  expect(() => new Shell(network, 'c', () => {})).toThrow('c')
  expect(await say(network, 'a', '   ')).toMatchObject({ code: 0, lines: [] })
  network.close()
})
