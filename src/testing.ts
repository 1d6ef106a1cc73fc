/**
 * A network for each test, for any test runner whose tests are functions: vitest, node:test and
 * others.
 *
 * A test that fails leaves the packets behind, and says with which seed it can be repeated.
 *
 * @module tungram/testing
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { visible } from './base/visible.ts'
import { Network, type NetworkOptions, type TimerOptions } from './network-node.ts'

export interface NetworkTestOptions extends NetworkOptions {
  /**
   * Where the capture of a failed test goes. Default: `tungram-failures` in the working directory.
   */
  directory?: string
  /** Whether sockets may be open at the end of a test that passed. Default false. */
  allowOpenSockets?: boolean
  /**
   * Whether the program's timers follow the network, and with `{ random: true }` its chance as
   * well; see `Network.installTimers`. Default false.
   */
  installTimers?: boolean | TimerOptions
  /**
   * Whether the network is the only one of the process while the test runs; see `Network.only`.
   * Default true.
   */
  only?: boolean
}

/**
 * What test runners hand to a test, as far as its name is in it: node:test's, vitest's and ava's.
 */
interface TestContext {
  name?: string
  title?: string
  task?: { name?: string }
}

/** What a test is called on: mocha's. */
interface TestObject {
  test?: { fullTitle?: () => string }
}

/**
 * The body of a test. `context` is what the runner gives to a test: ava's and node:test's `t`,
 * vitest's context; `undefined` under jest, mocha and bun.
 */
export type NetworkTest<Context> = (network: Network, context: Context) => void | Promise<void>

/**
 * Makes a test: `test('…', withNetwork(async (network) => { … }))`, for vitest, node:test, jest,
 * mocha, ava and bun. The body gets a network of its own, which is closed behind it, and what the
 * runner hands over.
 *
 * While it runs, the network is the only one of the process (see `Network.only`): a program under
 * test runs on its hosts (`host.run`), and what would leave for the machine's network is refused.
 * `TUNGRAM_SEED` in the environment goes before the seed in the options. A test fails when it
 * leaves a socket open. On failure the capture of all nics is written as pcapng, and the error's
 * message names the file and the seed.
 */
export function withNetwork<Context = unknown>(body: NetworkTest<Context>): (context?: Context) => Promise<void>
export function withNetwork<Context = unknown>(
  options: NetworkTestOptions,
  body: NetworkTest<Context>,
): (context?: Context) => Promise<void>
export function withNetwork<Context = unknown>(
  first: NetworkTestOptions | NetworkTest<Context>,
  second?: NetworkTest<Context>,
): (context?: Context) => Promise<void> {
  const options = typeof first === 'function' ? {} : first
  const body = typeof first === 'function' ? first : (second as NetworkTest<Context>)
  // No parameter is declared: jest, mocha and bun take one for a callback and wait for its call,
  // and vitest reads from the text of a function what it is to hand over.
  return async function (this: unknown): Promise<void> {
    // biome-ignore lint/complexity/noArguments: a rest parameter is in the text of the function
    const context = arguments[0] as Context
    await runTest(options, body, context, () => nameOf(this, context))
  }
}

async function runTest<Context>(
  options: NetworkTestOptions,
  body: NetworkTest<Context>,
  context: Context,
  name: () => string,
): Promise<void> {
  const {
    directory = 'tungram-failures',
    allowOpenSockets = false,
    installTimers = false,
    only = true,
    ...rest
  } = options
  const seed = process.env.TUNGRAM_SEED ?? rest.seed
  const network = new Network({ ...rest, ...(seed === undefined ? {} : { seed }) })
  const chunks: Uint8Array[] = []
  network.capture((chunk) => chunks.push(chunk))
  if (installTimers) network.installTimers(installTimers === true ? {} : installTimers)
  if (only) network.only()
  try {
    await body(network, context)
    if (!allowOpenSockets) refuseOpenSockets(network)
  } catch (error) {
    throw explained(error, network, save(directory, name(), network, chunks))
  } finally {
    network.close()
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

function nameOf(test: unknown, context: unknown): string {
  const { name, title, task } = (context ?? {}) as TestContext
  const { fullTitle } = ((test ?? {}) as TestObject).test ?? {}
  const told = task?.name ?? title ?? name ?? fullTitle?.call((test as TestObject).test) ?? jestName()
  return told ?? 'test'
}

/** The name that jest keeps with its global `expect`. */
function jestName(): string | undefined {
  const { expect } = globalThis as { expect?: { getState?: () => { currentTestName?: string } } }
  return expect?.getState?.().currentTestName
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
