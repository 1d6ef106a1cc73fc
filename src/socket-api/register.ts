/**
 * `node --import tungram/register app.js`: the program's `node:dgram` is that of a tungram stack,
 * its `os.networkInterfaces()` lists the stack's, and the names of the stack's hosts resolve. What
 * the stack is like, `TUNGRAM_CONFIG` says; see `docs/drop-in.md`.
 *
 * Node hands the same object to every `require` and default import of a builtin module, and copies
 * it to named imports when told to: changing it reaches all of them, in Node 20, 22 and 24, without
 * a loader. Nothing here may await: worker threads load this file by `--require`.
 */
import './dgram/names.ts'
import dgram from 'node:dgram'
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import threads from 'node:worker_threads'
import { networkInterfaces } from './dgram/interfaces.ts'
import { answerNames } from './dgram/names.ts'
import { defaultStack, preparedStack } from './process/default-stack.ts'
import { workerClass } from './process/workers.ts'

const stack = preparedStack()
answerNames(stack.hosts)

Object.assign(dgram, stack.dgram)
Object.assign(os, { networkInterfaces: () => networkInterfaces(defaultStack()) })
Object.assign(threads, { Worker: workerClass(fileURLToPath(import.meta.url)) })
syncBuiltinESMExports()
