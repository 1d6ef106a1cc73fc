/**
 * Reassembly by a map of bytes, one datagram at a time, after the rules of Linux
 * (inet_frag_queue_insert): fragments that come in order at the far end make one run, any other
 * begins a run of its own. A fragment inside one run is ignored, one that has any other byte twice
 * kills the datagram, and nothing may lie beyond the last fragment's end.
 */
export interface SlowFragment {
  readonly offset: number
  readonly more: boolean
  readonly bytes: Uint8Array
}

export class SlowReassembler {
  #bytes = new Map<number, { byte: number; run: number }>()
  #runs = 0
  #total = -1

  /**
   * The whole datagram, `'duplicate'`, `'overlap'` (all is forgotten), or `null` while something is
   * missing.
   */
  add({ offset, more, bytes }: SlowFragment): Uint8Array | 'duplicate' | 'overlap' | null {
    const end = offset + bytes.length
    const farEnd = Math.max(0, ...[...this.#bytes.keys()].map((at) => at + 1))
    if (more ? this.#total >= 0 && end > this.#total : end < farEnd || (this.#total >= 0 && end !== this.#total))
      return this.#forget()
    if (!more) this.#total = end
    const places = Array.from(bytes, (_, at) => offset + at)
    const runs = places.map((at) => this.#bytes.get(at)?.run ?? -1)
    if (runs.some((run) => run >= 0)) return runs.every((run) => run === runs[0]) ? 'duplicate' : this.#forget()
    const run = offset === farEnd && offset > 0 ? (this.#bytes.get(farEnd - 1)?.run as number) : this.#runs++
    for (const at of places) this.#bytes.set(at, { byte: bytes[at - offset] as number, run })
    if (this.#bytes.size !== this.#total) return null
    const whole = Uint8Array.from({ length: this.#total }, (_, at) => this.#bytes.get(at)?.byte as number)
    this.#forget()
    return whole
  }

  #forget(): 'overlap' {
    this.#bytes = new Map()
    this.#total = -1
    return 'overlap'
  }
}
