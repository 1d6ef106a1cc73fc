/** Computes routes anew once a network has changed, before anything else happens in it. */
import type { RoutedNode } from './routed.ts'
import { installRoutes } from './routing.ts'

export class RouteUpdates {
  readonly #nodes: () => readonly RoutedNode[]
  /** Told after routes were computed. */
  onUpdate: () => void = () => {}
  #isStale = false
  #isClosed = false

  constructor(nodes: () => readonly RoutedNode[]) {
    this.#nodes = nodes
  }

  /** Something was connected: routes are computed at the end of this turn, or when asked for. */
  changed(): void {
    if (this.#isStale) return
    this.#isStale = true
    queueMicrotask(() => this.settle())
  }

  /** Computes routes if something was connected since. */
  settle(): void {
    if (this.#isStale && !this.#isClosed) this.update()
  }

  /** Computes routes over the cables that are up. */
  update(): void {
    this.#isStale = false
    installRoutes(this.#nodes())
    this.onUpdate()
  }

  close(): void {
    this.#isClosed = true
  }
}
