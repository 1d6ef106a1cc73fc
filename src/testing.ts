/**
 * A network for each test, for any test runner whose tests are functions: vitest, node:test and
 * others.
 *
 * A test that fails leaves the packets behind, and says with which seed it can be repeated.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { visible } from './base/visible.ts'
import { Network, type NetworkOptions } from './network-node.ts'

export interface NetworkTestOptions extends NetworkOptions {
  /**
   * Where the capture of a failed test goes. Default: `tungram-failures` in the working directory.
   */
  directory?: string
  /** Whether sockets may be open at the end of a test that passed. Default false. */
  allowOpenSockets?: boolean
  /**
   * Whether the program's timers follow the network; see `Network.installTimers`. Default false.
   */
  installTimers?: boolean
}

/** What test runners hand to a test, as far as its name is in it: node:test's and vitest's. */
interface TestContext {
  name?: string
  task?: { name?: string }
}

/**
 * Makes a test: `test('…', withNetwork(async (network) => { … }))`. The body gets a network of its
 * own, which is closed behind it.
 *
 * `TUNGRAM_SEED` in the environment goes before the seed in the options. A test fails when it
 * leaves a socket open. On failure the capture of all nics is written as pcapng, and the error's
 * message names the file and the seed.
 */
export function withNetwork(body: (network: Network) => void | Promise<void>): (context?: unknown) => Promise<void>
export function withNetwork(
  options: NetworkTestOptions,
  body: (network: Network) => void | Promise<void>,
): (context?: unknown) => Promise<void>
export function withNetwork(
  first: NetworkTestOptions | ((network: Network) => void | Promise<void>),
  second?: (network: Network) => void | Promise<void>,
): (context?: unknown) => Promise<void> {
  const options = typeof first === 'function' ? {} : first
  const body = typeof first === 'function' ? first : (second as (network: Network) => void | Promise<void>)
  // One parameter, so that runners which look at it hand their context over and expect no callback.
  return async (context) => {
    const { directory = 'tungram-failures', allowOpenSockets = false, installTimers = false, ...rest } = options
    const seed = process.env.TUNGRAM_SEED ?? rest.seed
    const network = new Network({ ...rest, ...(seed === undefined ? {} : { seed }) })
    const chunks: Uint8Array[] = []
    network.capture((chunk) => chunks.push(chunk))
    if (installTimers) network.installTimers()
    try {
      await body(network)
      if (!allowOpenSockets) refuseOpenSockets(network)
    } catch (error) {
      throw explained(error, network, save(directory, nameOf(context), network, chunks))
    } finally {
      network.close()
    }
  }
}

function refuseOpenSockets(network: Network): void {
  const open = network.sockets()
  if (open.length === 0) return
  const list = open.map(
    ({ host, protocol, localAddress, localPort }) => `${protocol} ${localAddress} port ${localPort} on ${host}`,
  )
  throw new Error(
    `The test left ${open.length === 1 ? 'a socket' : `${open.length} sockets`} open: ${list.join(', ')}.`,
  )
}

function nameOf(context: unknown): string {
  const { name, task } = (context ?? {}) as TestContext
  return task?.name ?? name ?? 'test'
}

/** @returns the file, or why there is none */
function save(directory: string, name: string, network: Network, chunks: readonly Uint8Array[]): string {
  const file = join(directory, `${fileName(name, 80)}-seed-${fileName(`${network.seed}`, 40)}`)
  try {
    mkdirSync(directory, { recursive: true })
    return `the packets are in ${writeNew(file, Buffer.concat(chunks))}`
  } catch (error) {
    return `the packets could not be written to ${file}.pcapng: ${(error as Error).message}`
  }
}

/** A part of a file's name: nothing in it leads to another folder. */
function fileName(text: string, most: number): string {
  return text.replace(/[^A-Za-z0-9]+/g, '-').slice(0, most)
}

/**
 * Tests of one name, and seeds that look alike as part of a name, get a file each: `…-2.pcapng`.
 */
function writeNew(path: string, bytes: Uint8Array): string {
  for (let number = 1; ; number++) {
    const file = `${path}${number === 1 ? '' : `-${number}`}.pcapng`
    try {
      writeFileSync(file, bytes, { flag: 'wx' })
      return file
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function explained(error: unknown, network: Network, where: string): Error {
  const told = error instanceof Error ? error : new Error(String(error))
  told.message += `\n(network at ${network.now} ms; repeat with TUNGRAM_SEED=${visible(`${network.seed}`)}; ${where})`
  return told
}
