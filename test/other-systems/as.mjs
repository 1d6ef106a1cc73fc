/**
 * Makes a process one of another system, as far as a program of JavaScript sees it, and refuses what
 * only Linux has: koffi and every other native module, /proc, /sys, /dev/net, and other programs.
 * `node --import ./as.mjs` with TUNGRAM_AS=darwin or win32, or `become(system)`.
 */
import childProcess from 'node:child_process'
import fs from 'node:fs'
import module, { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import process from 'node:process'

const LINUX_ONLY = /^\/(proc|sys|dev\/net)(\/|$)/
const FILES = ['openSync', 'open', 'readFileSync', 'readFile', 'existsSync', 'statSync', 'stat', 'accessSync', 'access']
const PROGRAMS = ['spawn', 'spawnSync', 'execFile', 'execFileSync', 'exec', 'execSync']

/** @param {string} system */
export function become(system) {
  Object.defineProperty(process, 'platform', { value: system })
  os.platform = () => system
  os.type = () => (system === 'darwin' ? 'Darwin' : 'Windows_NT')
  const refuse = (what) => {
    // Caught or not, it is seen: tests look at standard error and at the exit code.
    process.exitCode = 97
    process.stderr.write(`asks for ${what}, which ${system} has not\n`)
    throw Object.assign(new Error(`${what} is Linux's`), { code: 'ENOENT', errno: -2 })
  }
  process.dlopen = (_, path) => refuse(path)
  const load = module._load
  module._load = (name, ...more) => (/^(koffi|@koromix\/)/.test(name) ? refuse(name) : load(name, ...more))
  for (const where of [fs, fs.promises])
    for (const name of FILES) {
      const call = where[name]
      if (typeof call !== 'function') continue
      const replaced = (path, ...more) =>
        LINUX_ONLY.test(String(path)) ? refuse(String(path)) : call.call(where, path, ...more)
      where[name] = Object.assign(replaced, call)
    }
  for (const name of PROGRAMS) childProcess[name] = (command) => refuse(`the program ${command}`)
  syncBuiltinESMExports()
}

if (process.env.TUNGRAM_AS) become(process.env.TUNGRAM_AS)
