/** Cables that are pulled, and routes that are computed anew, as programs on the hosts see them. */
import { afterAll, expect, test } from 'vitest'
import { describeForUsers, Files, on, run } from './run.ts'

const PATIENCE = { timeout: 60_000 }
const files = new Files()
afterAll(() => files.remove())

/** Two ways from `a` to `b`; the shorter one is pulled after two seconds and mended after four. */
const NET = files.write(
  'two-ways.yaml',
  `
hosts: { a: , b: }
routers: { near: , far: , core: }
links:
  - { name: short, between: [a, near], subnet: [10.1.0.0/24, 'fd00:1::/64'] }
  - { name: long, between: [a, far], subnet: [10.2.0.0/24, 'fd00:2::/64'], cost: 5, medium: ethernet }
  - { between: [near, core] }
  - { between: [far, core] }
  - between: [core, b]
    subnet: [10.9.0.0/24, 'fd00:9::/64']
    addresses: { b: [10.9.0.2/24, 'fd00:9::2/64'], core: [10.9.0.1/24, 'fd00:9::1/64'] }
events:
  - { at: 2s, link: short, state: down }
  - { at: 2s, updateRoutes: true }
  - { at: 4s, link: short, state: up }
  - { at: 4s, updateRoutes: true }
`,
)

/** The interface and the ways of the host, and whether b is reached: before, meanwhile and after. */
const LOOK = `look() {
  ip -o link show eth0; ip route get 10.9.0.2; ip route get fd00:9::2; ping -c1 -W1 -q b | grep received; echo "--"
}
pulled() { ip -o link show eth0 | grep -q NO-CARRIER; }
look; until pulled; do sleep 0.05; done; look; while pulled; do sleep 0.05; done; look`

describeForUsers('a cable that is pulled', (user) => {
  test(
    'takes the carrier of the interface, and gives it back; the routes follow those of the network',
    PATIENCE,
    async () => {
      const { code, stdout, stderr } = await run(user, ...on(NET, 'a', 'sh', '-c', LOOK))
      expect({ code, stderr }).toMatchObject({ code: 0 })
      const looks = stdout.replaceAll('a | ', '').split('--\n').slice(0, 3)
      expect(looks).toHaveLength(3)
      const facts = looks.map((look) => ({
        carrier: !look.includes('NO-CARRIER'),
        ways: Array.from(look.matchAll(/ via (\S+) (?:dev|proto)/g), ([, gateway]) => gateway),
        reached: look.includes('1 received'),
      }))
      const short = { carrier: true, ways: ['10.1.0.2', 'fd00:1::2'], reached: true }
      const long = { carrier: false, ways: ['10.2.0.2', 'fd00:2::2'], reached: true }
      expect(facts).toEqual([short, long, short])
    },
  )

  test('that is the only one leaves no route, and a program is told at once', PATIENCE, async () => {
    const net = files.write(
      'one-way.yaml',
      'hosts: { a: , b: }\nrouters: { r: }\nlinks: [{ between: [a, r] }, { between: [r, b] }]\n' +
        'events: [{ at: 0, link: a-r, state: down }]\n',
    )
    // Linux tells its routes of a carrier once a second at most (linkwatch).
    const until = 'for i in $(seq 50); do ip -o link show eth0 | grep -q "state DOWN" && break; sleep 0.1; done'
    const { stdout } = await run(user, ...on(net, 'a', 'sh', '-c', `${until}; ping -c1 b 2>&1; ip -o link show eth0`))
    expect(stdout).toMatch(/Network is unreachable/)
    expect(stdout).toContain('NO-CARRIER')
  })
})
