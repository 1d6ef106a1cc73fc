/**
 * The multicast groups of one nic: who wants which, and from which sources.
 *
 * What all subscribers of a group want together is the nic's filter for it (RFC 9776 and RFC 9777
 * section 4.2; formerly RFC 3376 section 3.2).
 */
import type { Address } from '../../base/address.ts'
import { AddressMap } from '../../base/address-map.ts'
import { KeyedHash } from '../../base/hash.ts'
import { SystemRandom } from '../../base/random.ts'

/** INCLUDE: only these sources. EXCLUDE: all but these. INCLUDE of nothing is no membership. */
export interface GroupFilter {
  readonly exclude: boolean
  readonly sources: readonly Address[]
}

/**
 * One socket's, or the host's own, wish for a group; its filter may change, with
 * {@link Memberships.changed} after it.
 */
export interface Subscriber extends GroupFilter {
  readonly group: Address
}

export const NOTHING: GroupFilter = { exclude: false, sources: [] }

interface Group {
  readonly address: Address
  readonly subscribers: Subscriber[]
  filter: GroupFilter
}

export class Memberships {
  readonly #onChange: (group: Address, filter: GroupFilter) => void
  readonly #groups: AddressMap<Group>

  /**
   * `onChange` is told the nic's filter for a group each time it may have changed. `hash`: the
   * stack's.
   */
  constructor(onChange: (group: Address, filter: GroupFilter) => void, hash = new KeyedHash(new SystemRandom())) {
    this.#onChange = onChange
    this.#groups = new AddressMap(hash)
  }

  /** Groups that a lookup may have to compare. */
  get longestChain(): number {
    return this.#groups.longestChain
  }

  has(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.#find(w0, w1, w2, w3) !== null
  }

  /**
   * Whether somebody wants the group from this source; `null` when nobody wants the group at all.
   */
  allows(
    g0: number,
    g1: number,
    g2: number,
    g3: number,
    s0: number,
    s1: number,
    s2: number,
    s3: number,
  ): boolean | null {
    const group = this.#find(g0, g1, g2, g3)
    if (group === null) return null
    const { exclude, sources } = group.filter
    for (const source of sources) if (source.is(s0, s1, s2, s3)) return !exclude
    return exclude
  }

  add(subscriber: Subscriber): void {
    const { w0, w1, w2, w3 } = subscriber.group
    const group = this.#find(w0, w1, w2, w3)
    if (group !== null) group.subscribers.push(subscriber)
    else this.#groups.set(w0, w1, w2, w3, { address: subscriber.group, subscribers: [subscriber], filter: NOTHING })
    this.changed(subscriber)
  }

  remove(subscriber: Subscriber): void {
    const { w0, w1, w2, w3 } = subscriber.group
    const group = this.#find(w0, w1, w2, w3)
    const at = group?.subscribers.indexOf(subscriber) ?? -1
    if (group === null || at < 0) return
    group.subscribers.splice(at, 1)
    this.changed(subscriber)
    if (group.subscribers.length === 0) this.#groups.delete(w0, w1, w2, w3)
  }

  /** A subscriber's filter is another one now. */
  changed({ group: { w0, w1, w2, w3 } }: Subscriber): void {
    const group = this.#find(w0, w1, w2, w3)
    if (group === null) return
    group.filter = merge(group.subscribers)
    this.#onChange(group.address, group.filter)
  }

  /** The groups and the nic's filter for each. */
  list(): { readonly group: Address; readonly filter: GroupFilter }[] {
    return [...this.#groups.values()].map(({ address, filter }) => ({ group: address, filter }))
  }

  #find(w0: number, w1: number, w2: number, w3: number): Group | null {
    return this.#groups.get(w0, w1, w2, w3) ?? null
  }
}

/**
 * With an EXCLUDE among them: all but what every EXCLUDE refuses and no INCLUDE asks for.
 * Otherwise: what any INCLUDE asks for.
 */
function merge(filters: readonly GroupFilter[]): GroupFilter {
  const asked = filters.filter(({ exclude }) => !exclude).flatMap(({ sources }) => sources)
  const excludes = filters.filter(({ exclude }) => exclude)
  const [first, ...others] = excludes
  if (first === undefined) return { exclude: false, sources: distinct(asked) }
  const refused = first.sources.filter(
    (source) => others.every(({ sources }) => contains(sources, source)) && !contains(asked, source),
  )
  return { exclude: true, sources: distinct(refused) }
}

export function contains(sources: readonly Address[], source: Address): boolean {
  return sources.some((each) => each.equals(source))
}

function distinct(sources: readonly Address[]): Address[] {
  return sources.filter((source, at) => sources.findIndex((each) => each.equals(source)) === at)
}
