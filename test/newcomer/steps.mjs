/** The steps of `run.mjs`: `files` to write, a `line` for the shell, what it `shows` and its `exit` code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const hosts = (import_) => `${import_}
const wire = new Segment({ mtu: 576 })
const [alice, bob] = ['10.0.0.1', '10.0.0.2'].map((address) => {
  const stack = new Stack()
  stack.addNic(wire.link(), { addresses: [\`\${address}/24\`] })
  return stack
})
const server = bob.dgram.createSocket('udp4', (message) => {
  console.log(\`\${message.length} bytes\`)
  server.close()
})
server.bind(5000)
const client = alice.dgram.createSocket('udp4')
client.send(Buffer.alloc(4000), 5000, '10.0.0.2', () => client.close())
`
const esm = hosts("import { Segment, Stack } from 'tungram'")

const typed = `import { once } from 'node:events'
import { Segment, Stack, type Link, type SocketOptions } from 'tungram'
import { Network } from 'tungram/network'
import { withNetwork } from 'tungram/testing'
import { Drop, ipv4, Packet } from 'tungram/wire'

const link: Link = new Segment().link()
const options: SocketOptions = { type: 'udp4' }
const socket = new Stack().dgram.createSocket(options)
const network = new Network({ seed: 1 })
export const drop: number = ipv4.parse(new Packet()) === Drop.None ? 0 : 1
export const test = withNetwork({ seed: 1 }, async (each) => void (await each.run()))
export const message: Promise<unknown[]> = once(socket, 'message')
// @ts-expect-error: an MTU is a number
export const wrong = new Segment({ mtu: '576' })
console.log(link.mtu, network.now)
`

const suite = (imports) => `${imports}
test('an answer crosses a lossy network', withNetwork({ seed: 7, installTimers: true }, async (network) => {
  const [a, b] = [network.host('a'), network.host('b')]
  network.connect(a, b, { delay: '50ms', loss: '30%' })
  const server = b.dgram.createSocket('udp4').bind(7)
  server.on('message', (message, { port, address }) => server.send(message, port, address))
  const client = a.dgram.createSocket('udp4')
  const again = setInterval(() => client.send('question', 7, 'b'), 1000)
  await network.run(new Promise((resolve) => client.once('message', resolve)))
  clearInterval(again)
  client.close()
  server.close()
}))
`
const testing = "import { withNetwork } from 'tungram/testing'"

const browser = `import { Network } from 'tungram/network'
const network = new Network({ seed: 1 })
const [a, b] = [network.host('a'), network.host('b')]
network.connect(a, b, { delay: '10ms' })
const endpoint = (host, receive) => host.udp.createEndpoint(4, { receive, flush() {}, icmp() {} })
console.log('in a bundle', typeof endpoint(a, () => {}).bind, network.nodes.length)
network.close()
`

/** Every kind of program. @param {string} bun */
export function programSteps(bun) {
  return [
    { name: 'the command, by npx', line: 'npx tungram --version', shows: /^\d+\.\d+\.\d+/ },
    { name: 'the demo in memory', line: 'npx tungram demo --memory', shows: /all passed/ },
    {
      name: 'the demo with the kernel',
      line: 'npx tungram demo',
      shows: /TUN device[\s\S]*all passed/,
      needsDevice: true,
    },
    { name: 'a scenario', line: 'npx tungram sim --example pmtu-black-hole', shows: /LinkMtuExceeded/ },
    {
      name: 'a native program on a network',
      line: 'npx tungram run --net examples/programs/bad-network.yaml --on client -- ping -4 -i 0.2 -c 4 server',
      files: {
        'examples/programs/bad-network.yaml':
          'hosts: { client: , server: }\nlinks: [{ between: [client, server], delay: 5ms }]\n',
      },
      shows: /4 received/,
      needsDevice: true,
    },
    { name: 'ESM', files: { 'esm.mjs': esm }, line: 'node esm.mjs', shows: /^4000 bytes\n$/ },
    {
      name: 'CommonJS',
      files: { 'common.cjs': hosts("const { Segment, Stack } = require('tungram')") },
      line: 'node common.cjs',
      shows: /^4000 bytes\n$/,
    },
    {
      name: 'the drop-in',
      files: {
        'app.js': `
          const socket = require('node:dgram').createSocket('udp4').bind(7, () => {
            console.log(socket.address().port)
            socket.close()
          })`,
      },
      line: 'node --import tungram/register app.js',
      shows: /^7\n$/,
    },
    {
      name: 'TypeScript, strict, with the libraries checked',
      files: {
        'types/app.ts': typed,
        'types/package.json': '{ "type": "module" }',
        'types/tsconfig.json': JSON.stringify({
          compilerOptions: {
            strict: true,
            skipLibCheck: false,
            exactOptionalPropertyTypes: true,
            module: 'nodenext',
            target: 'es2022',
            types: ['node'],
            noEmit: true,
          },
        }),
      },
      line: 'tsc -p types',
    },
    {
      name: 'esbuild, for Node',
      files: { 'esm.mjs': esm },
      line:
        'esbuild esm.mjs --bundle --platform=node --format=esm --outfile=esbuild.mjs --log-level=error && ' +
        'node esbuild.mjs',
      shows: /^4000 bytes\n$/,
    },
    {
      name: 'webpack, for Node',
      files: {
        'esm.mjs': esm,
        'pack.cjs': `require('webpack')({
          mode: 'none', target: 'node20', entry: './esm.mjs', experiments: { outputModule: true },
          output: { path: __dirname, filename: 'webpack.mjs', module: true, chunkFormat: 'module' },
        }, (error, stats) => {
          if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1) }
        })`,
      },
      line: 'node pack.cjs && node webpack.mjs',
      shows: /^4000 bytes\n$/,
    },
    {
      name: 'vite, for a browser',
      files: {
        'vite/index.html': '<script type="module" src="./main.js"></script>',
        'vite/main.js': browser,
        'vite/vite.config.mjs': 'export default { build: { modulePreload: false, minify: false } }',
      },
      line: 'vite build vite --logLevel error && cp vite/dist/assets/*.js vite.mjs && node vite.mjs',
      shows: /^in a bundle function 2\n$/,
    },
    {
      name: 'vitest',
      files: { 'test/vitest.spec.mjs': suite(`import { test } from 'vitest'\n${testing}`) },
      line: 'vitest run test/vitest.spec.mjs',
      shows: /1 passed/,
    },
    {
      name: 'node:test',
      files: { 'test/node.spec.mjs': suite(`import { test } from 'node:test'\n${testing}`) },
      line: 'node --test test/node.spec.mjs',
      shows: /pass 1/,
    },
    {
      name: 'jest',
      files: { 'test/jest.spec.mjs': suite(testing) },
      line: "node --experimental-vm-modules node_modules/jest/bin/jest.js --rootDir=. --testMatch='**/jest.spec.mjs'",
      shows: /1 passed/,
    },
    {
      name: 'mocha',
      files: { 'test/mocha.spec.mjs': suite(`import { it as test } from 'mocha'\n${testing}`) },
      line: 'mocha test/mocha.spec.mjs',
      shows: /1 passing/,
    },
    ...(existsSync(bun)
      ? [
          {
            name: 'bun',
            files: { 'test/bun.spec.mjs': suite(`import { test } from 'bun:test'\n${testing}`) },
            line: `'${bun}' test ./test/bun.spec.mjs`,
            shows: /1 pass/,
          },
        ]
      : []),
  ]
}

/** The files and commands of the pages for beginners, in their order. @param {string} folder */
export function pageSteps(folder) {
  return readdirSync(folder).flatMap((name) => {
    const page = readFileSync(join(folder, name), 'utf8')
    const files = {}
    const steps = []
    for (const [, notes, language, text] of page.matchAll(/((?:^<!-- .* -->\n)*)^```([a-z]*)\n([\s\S]*?)^```$/gm)) {
      const file = /<!-- file: (\S+) -->/.exec(notes)?.[1]
      if (file !== undefined) files[file] = text
      else if (language === 'console')
        for (const [, line] of text.matchAll(/^\$ (.*)$/gm))
          steps.push({
            name: `${name}: ${line}`,
            line: line,
            files: { ...files },
            exit: Number(/<!-- exit: (\d+) -->/.exec(notes)?.[1] ?? 0),
            needsDevice: notes.includes('needs:'),
          })
    }
    return steps
  })
}
