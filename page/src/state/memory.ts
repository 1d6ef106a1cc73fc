/** What this browser remembers for the page; one that keeps nothing is no error. */

const PREFIX = 'tungram.'

export function recall(key: string): unknown {
  try {
    const kept = localStorage.getItem(PREFIX + key)
    return kept === null ? null : JSON.parse(kept)
  } catch {
    return null
  }
}

/** @returns false when it was not kept */
export function store(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value))
    return true
  } catch {
    return false
  }
}
