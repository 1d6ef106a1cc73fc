/** What `node:os` says of the machine, to code of a host: its name and its interfaces. */
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { networkInterfaces } from '../process/interfaces.ts'
import { currentHost } from './context.ts'
import { disguised, type Restore, replaceValue } from './replace.ts'

/** @returns what puts Node's functions back */
export function installMachine(): Restore {
  const { networkInterfaces: interfaces, hostname } = os
  const ownInterfaces = disguised(() => {
    const host = currentHost()
    return host === undefined ? interfaces() : networkInterfaces(host)
  }, interfaces)
  const ownName = disguised(() => currentHost()?.name ?? hostname(), hostname)
  // As Node's functions of no parameters: `${os.hostname}`.
  Object.defineProperty(ownName, Symbol.toPrimitive, { value: ownName })
  const restores = [replaceValue(os, 'networkInterfaces', ownInterfaces), replaceValue(os, 'hostname', ownName)]
  syncBuiltinESMExports()
  return () => {
    for (const restore of restores) restore()
    syncBuiltinESMExports()
  }
}
