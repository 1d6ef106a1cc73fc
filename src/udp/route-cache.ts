/**
 * What one endpoint remembers of its last destination: route, source, flow label, and how many
 * datagrams it got. One datagram after another to the same destination asks for no route.
 */
import type { Address } from '../base/address.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { Errno } from './errno.ts'
import type { FlowLabels } from './flow-label.ts'
import type { RouteAsker, RouteChoice, RouteHost } from './route-choice.ts'
import { route4 } from './route4.ts'
import { route6 } from './route6.ts'
import type { SendOptions } from './send-options.ts'

export class RouteCache implements RouteChoice {
  /** What {@link resolve} found last: `null` until it has. Written by it alone. */
  route: Route | null = null
  source: Address | null = null
  broadcast = false
  readonly #host: RouteHost
  readonly #asker: RouteAsker
  /**
   * For what that holds: the destination (`null`: for one datagram alone, or for nothing), the nic
   * that was asked for, the source for groups, and the state of the host's routes.
   */
  #to: Address | null = null
  #nic = 0
  #groupSource: Address | null = null
  #generation = -1
  /** The flow label towards the destination and this remote port; 0 when there is none yet. */
  #flowPort = 0
  #flowLabel = 0
  /** Datagrams in a row to one address. */
  #sent = 0
  #sentTo: Address | null = null

  constructor(host: RouteHost, asker: RouteAsker) {
    this.#host = host
    this.#asker = asker
  }

  /**
   * Finds route and source for a destination.
   * @param nic the nic that is asked for, 0 for any
   */
  resolve(to: Address, nic: number, options: SendOptions | null): Errno {
    const asker = this.#asker
    const usual = options === null || (options.source === undefined && options.nic === undefined)
    if (
      usual &&
      this.#to !== null &&
      this.#generation === this.#host.routes.generation &&
      this.#nic === nic &&
      this.#groupSource === asker.multicastSource4 &&
      this.#to.equals(to)
    ) {
      if (asker.dontRoute && (this.route as Route).gateway !== null) return 'ENETUNREACH'
      return asker.broadcast || !this.broadcast ? '' : 'EACCES'
    }
    this.#to = null
    const error = this.#choose(to, nic, options?.source ?? asker.sourceAddress)
    if (error !== '') return error
    this.#nic = nic
    this.#groupSource = asker.multicastSource4
    this.#generation = this.#host.routes.generation
    this.#flowPort = 0
    // Another receiver's numbers begin anew: nobody sees how many the others got.
    if (this.#sentTo?.equals(to) !== true) {
      this.#sentTo = to
      this.#sent = 0
    }
    if (usual) this.#to = to
    return ''
  }

  #choose(to: Address, nic: number, from: Address | null): Errno {
    const asker = this.#asker
    if (to.family === 4) {
      const source = to.isMulticast ? (from ?? asker.multicastSource4) : from
      return route4(this.#host, asker, this, to, source, nic)
    }
    const source = from?.isUnspecified && from.family === 6 ? asker.sourceAddress : from
    return route6(this.#host, asker, this, to, source, nic)
  }

  /** The flow label of a datagram to the destination. */
  flowLabel(labels: FlowLabels, to: Address, localPort: number, port: number): number {
    if (this.#flowPort !== port) {
      this.#flowPort = port
      this.#flowLabel = labels.of(this.source as Address, to, localPort, port)
    }
    return this.#flowLabel
  }

  /** A datagram is sent. @returns its number, for links whose atomic datagrams are numbered */
  nextNumber(): number {
    return this.#sent++ & 0xffff
  }

  /** The endpoint's addresses are other ones now. */
  forget(): void {
    this.#to = null
  }

  /** The endpoint is closed: keeps no nic alive. */
  close(): void {
    this.forget()
    this.route = null
  }
}
