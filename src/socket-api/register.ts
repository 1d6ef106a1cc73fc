/**
 * `node --import tungram/register app.js`: the program's `node:dgram` is that of a tungram stack,
 * its `os.networkInterfaces()` lists the stack's, and the names of the stack's hosts resolve. What
 * the stack is like, `TUNGRAM_CONFIG` says; see `docs/drop-in.md`.
 *
 * Node hands the same object to every `require` and default import of a builtin module, and copies
 * it to named imports when told to: changing it reaches all of them, in Node 20, 22 and 24, without
 * a loader. Nothing here may await: worker threads load this file by `--require`.
 *
 * @module tungram/register
 */
import { fileURLToPath } from 'node:url'
import { installDropIn } from './process/install.ts'

installDropIn(fileURLToPath(import.meta.url))
