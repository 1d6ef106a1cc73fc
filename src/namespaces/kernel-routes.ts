/** The routes of a host in its kernel: those that the network has computed, as they change. */
import type { Nic } from '../ip/nic/nic.ts'
import type { Libc } from '../link/device/tun-libc.ts'
import type { Stack } from '../stack.ts'
import { addRoute, type KernelRoute, removeRoute } from './kernel-interface.ts'

interface Installed {
  readonly index: number
  readonly route: KernelRoute
}

export class KernelRoutes {
  readonly #libc: Libc
  readonly #stack: Stack
  /** Told of a route that the namespace has already, which is kept. */
  readonly #note: (text: string) => void
  /** Index of the kernel's interface in the place of a nic. */
  readonly #indexes = new Map<Nic, number>()
  /** What was added here, by what it says. */
  #installed = new Map<string, Installed>()

  constructor(libc: Libc, stack: Stack, note: (text: string) => void) {
    this.#libc = libc
    this.#stack = stack
    this.#note = note
  }

  /** An interface is in the place of a nic. */
  plugged(nic: Nic, index: number): void {
    this.#indexes.set(nic, index)
  }

  /** Lets the kernel have the routes of the stack. The thread is in the host's namespace. */
  update(): void {
    const wanted = new Map<string, Installed>()
    for (const { nic, prefix, gateway } of this.#stack.ip.routes.list()) {
      const index = this.#indexes.get(nic as Nic)
      if (index !== undefined && gateway !== null)
        wanted.set(`${prefix} ${gateway} ${index}`, { index, route: { prefix, gateway } })
    }
    const former = this.#installed
    this.#installed = new Map([...wanted].filter(([key]) => former.has(key)))
    for (const [key, { index, route }] of former) if (!wanted.has(key)) this.#remove(index, route)
    for (const [key, { index, route }] of wanted)
      if (!former.has(key) && this.#add(index, route)) this.#installed.set(key, { index, route })
  }

  #remove(index: number, route: KernelRoute): void {
    try {
      removeRoute(this.#libc, index, route)
    } catch (error) {
      // A program may have removed it.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  /** @returns false for one that the namespace has already */
  #add(index: number, route: KernelRoute): boolean {
    try {
      addRoute(this.#libc, index, route)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      this.#note(`${this.#stack.name}: the namespace has a route to ${route.prefix} already, which is kept`)
      return false
    }
  }
}
