/**
 * In the place of the package `ip-address` (vite.config.ts), as much of it as the engine calls: by the
 * URL parser that browsers have. The package would be a tenth of the engine.
 */

export class Address4 {
  readonly #bytes: number[]

  /** @throws Error when the text is no IPv4 address in decimal */
  constructor(text: string) {
    this.#bytes = text.split('.').map(Number)
    if (this.#bytes.length !== 4 || !this.#bytes.every((byte) => byte < 256)) throw new Error(`no address: ${text}`)
  }

  toArray(): number[] {
    return this.#bytes
  }
}

export class Address6 {
  readonly #bytes: number[]

  /** @throws Error when the text is no IPv6 address (RFC 4291 section 2.2) */
  constructor(text: string) {
    // The parser passes over tabs and line feeds.
    if (!/^[\da-f:.]+$/i.test(text)) throw new Error(`no address: ${text}`)
    // In the form of RFC 5952, without a dotted end.
    const [front = [], back = []] = new URL(`http://[${text}]`).hostname
      .slice(1, -1)
      .split('::')
      .map((part) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))))
    const groups = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back]
    this.#bytes = groups.flatMap((group) => [group >> 8, group & 255])
  }

  toUnsignedByteArray(): number[] {
    return this.#bytes
  }
}
