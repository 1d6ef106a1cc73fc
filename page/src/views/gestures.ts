/** Two fingers on the drawing: it grows and moves with them. */

export interface Zoom {
  /** Where the drawing's origin is, in pixels, and how far its places are apart. */
  readonly x: number
  readonly y: number
  readonly scale: number
}

interface Finger {
  readonly x: number
  readonly y: number
}

export const LEAST_SCALE = 0.1
export const MOST_SCALE = 4

/** The zoom around a point of the screen that stays where it is. */
export function zoomedAt(zoom: Zoom, { x, y }: Finger, scale: number): Zoom {
  const bounded = Math.max(LEAST_SCALE, Math.min(MOST_SCALE, scale))
  const factor = bounded / zoom.scale
  return { scale: bounded, x: x - (x - zoom.x) * factor, y: y - (y - zoom.y) * factor }
}

export class Pinch {
  readonly #fingers = new Map<number, Finger>()

  down(id: number, finger: Finger): void {
    this.#fingers.set(id, finger)
  }

  up(id: number): void {
    this.#fingers.delete(id)
  }

  get isOn(): boolean {
    return this.#fingers.size === 2
  }

  /** The zoom after a finger has moved; `null` when there are not two. */
  moved(id: number, finger: Finger, zoom: Zoom): Zoom | null {
    if (!this.#fingers.has(id)) return null
    const before = [...this.#fingers.values()]
    this.#fingers.set(id, finger)
    if (!this.isOn) return null
    const [a, b] = before as [Finger, Finger]
    const [c, d] = [...this.#fingers.values()] as [Finger, Finger]
    const apart = (one: Finger, other: Finger) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y))
    const [from, to] = [middle(a, b), middle(c, d)]
    const shifted = { ...zoom, x: zoom.x + to.x - from.x, y: zoom.y + to.y - from.y }
    return zoomedAt(shifted, to, (zoom.scale * apart(c, d)) / apart(a, b))
  }
}

function middle(a: Finger, b: Finger): Finger {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
}
