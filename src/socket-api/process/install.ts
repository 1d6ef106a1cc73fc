/** Puts a stack behind a program's `node:dgram`, `os.networkInterfaces` and `dns.lookup`. */
// First of all: sockets take the `dns.lookup` that they find for Node's own.
import './names.ts'
import dgram from 'node:dgram'
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import threads from 'node:worker_threads'
import { defaultStack, preparedStack } from './default-stack.ts'
import { networkInterfaces } from './interfaces.ts'
import { answerNames } from './names.ts'
import { workerClass } from './workers.ts'

/**
 * @param file what worker threads load to do the same
 * @throws {Error} for a wrong `TUNGRAM_CONFIG`
 */
export function installDropIn(file: string): void {
  const stack = preparedStack()
  answerNames(stack.hosts)
  Object.assign(dgram, stack.dgram)
  Object.assign(os, { networkInterfaces: () => networkInterfaces(defaultStack()) })
  Object.assign(threads, { Worker: workerClass(file) })
  syncBuiltinESMExports()
}
