/**
 * `tungram demo`: the main job before your eyes, against the Linux kernel where a TUN device can be
 * opened, else in memory.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type CommandDescription, option, readCommandLine } from './command-line.ts'
import { kernelPeer, memoryPeer, type Peer } from './demo-peer.ts'
import { type Scene, stage } from './demo-scene.ts'

const options = {
  verbose: option('-v, --verbose', 'each packet as it passes, and each check'),
  memory: option('--memory', 'use the wire in memory in any case'),
  capture: option('--capture <FILE.pcapng>', 'write all packets to a file for Wireshark'),
  json: option('--json', 'print only the result of the checks, as JSON'),
} as const

/** Set for the process that runs inside the namespace. */
const innerOptions = { namespace: option('--namespace', 'in the namespace already') } as const

export const description: CommandDescription = {
  usage: ['demo [-v] [--memory] [--capture FILE.pcapng] [--json]'],
  about: [
    'Lets the Linux kernel ping a tungram stack and exchange datagrams with it over a TUN device in a private ' +
      'network namespace, draws what went between them, and checks what came of it. Where no TUN device can ' +
      'be opened, the same happens between two tungram stacks on a wire in memory. Exit code 1 if a check fails.',
  ],
  groups: [{ title: 'Options', options }],
  examples: [],
}

export async function run(args: string[]): Promise<number> {
  const { values } = readCommandLine(args, { ...options, ...innerOptions })
  const scene: Scene = { capture: values.capture, json: values.json === true, verbose: values.verbose === true }
  if (values.namespace) return stage(insidePeer(), scene)
  if (values.memory) return stage(memoryPeer('because of --memory'), scene)
  const way = findNamespace()
  if (!way.possible) return stage(memoryPeer(way.reason), scene)
  return runInside(way.command, args)
}

type Way = { possible: true; command: string[] } | { possible: false; reason: string }

/**
 * How to get a network namespace of our own: as root, or as anybody where user namespaces are
 * allowed.
 */
function findNamespace(): Way {
  if (process.platform !== 'linux')
    return { possible: false, reason: `because TUN devices are Linux's, and this is ${process.platform}` }
  if (!existsSync('/dev/net/tun')) return { possible: false, reason: 'because there is no /dev/net/tun here' }
  let reason = ''
  for (const flags of ['-n', '-rn']) {
    const { status, stderr, error } = spawnSync('unshare', [flags, 'true'], { encoding: 'utf8' })
    if (status === 0) return { possible: true, command: ['unshare', flags] }
    reason = error === undefined ? stderr.trim() : `'unshare' is not installed`
  }
  return { possible: false, reason: `because a private network namespace is not permitted here (${reason})` }
}

/** The kernel's side, or the memory's if the device cannot be opened even here. */
function insidePeer(): Peer {
  try {
    return kernelPeer()
  } catch (error) {
    // The first sentence says what is wrong; the others, what helps a program that needs the
    // device.
    const [problem = ''] = (error as Error).message.split(/\.(?: |$)/)
    return memoryPeer(`because no TUN device can be opened (${problem})`)
  }
}

/** Runs this command again in a namespace, and passes signals on. */
async function runInside(command: string[], args: string[]): Promise<number> {
  const [program = '', ...flags] = command
  const self = fileURLToPath(new URL('../cli.js', import.meta.url))
  const child = spawn(program, [...flags, process.execPath, self, 'demo', '--namespace', ...args], { stdio: 'inherit' })
  const pass = (signal: NodeJS.Signals) => child.kill(signal)
  process.on('SIGINT', pass)
  process.on('SIGTERM', pass)
  const [code] = (await once(child, 'exit')) as [number | null]
  process.off('SIGINT', pass)
  process.off('SIGTERM', pass)
  return code ?? 1
}
