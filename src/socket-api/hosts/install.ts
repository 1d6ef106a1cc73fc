/**
 * What makes Node's modules serve code of hosts: in place from the first use to the end of the
 * last, whatever the order of the uses.
 */
import { installConnections } from './connections.ts'
import { endContexts } from './context.ts'
import { installMachine } from './machine.ts'
import { watchMachineWork } from './machine-work.ts'
import { installNames } from './names.ts'
import type { Restore } from './replace.ts'
import { installSockets } from './sockets.ts'

const users = new Set<object>()
let restores: Restore[] = []

/** Installs everything for the first user. It stays until the last user has gone. */
export function installFor(user: object): void {
  if (users.size === 0)
    restores = [
      ...[installSockets(), installNames(), installMachine(), installConnections(), watchMachineWork()],
    ].filter((each) => each !== null)
  users.add(user)
}

/** Puts everything back when nobody else uses it. */
export function uninstallFor(user: object): void {
  if (!users.delete(user) || users.size > 0) return
  for (const restore of restores.splice(0)) restore()
  endContexts()
}
