/**
 * When a device sends what it collects: the first frame of a turn leaves at once, those that follow
 * it at the end of the turn, or of the wake-up that they answer.
 */
export class SendTurn {
  /** A frame of this turn has left: what follows is collected. */
  isBegun = false
  /** A wake-up's packets are being answered: the end of the turn sends nothing. */
  #held = false
  readonly #send: () => void
  readonly #flush = () => this.flush()

  /** `send` sends what was collected. */
  constructor(send: () => void) {
    this.#send = send
  }

  begin(): void {
    this.isBegun = true
    if (!this.#held) queueMicrotask(this.#flush)
  }

  /** From now on, what is sent answers the packets of one wake-up: collected until `release`. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.end()
  }

  /** Ends the turn, but not in a wake-up: what answers its packets leaves at its end. */
  flush(): void {
    if (!this.#held) this.end()
  }

  /** Ends it whatever goes on. */
  end(): void {
    this.isBegun = false
    this.#send()
  }
}
