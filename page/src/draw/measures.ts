/** Sizes of what is drawn, and what a cable does in words. */
import type { TopologyCable } from '../protocol.ts'

/** Of a node. */
export const WIDTH = 84
export const HEIGHT = 34
/** Between two lines of words. */
export const LINE = 14

/** A name that may be of any length. */
export function shortened(name: string, most = 14): string {
  const letters = [...name]
  return letters.length <= most ? name : `${letters.slice(0, most - 1).join('')}…`
}

/**
 * What a cable does to packets; what is so in one direction only has an arrow: `arrows` are that from
 * its first end to the second as it is drawn, and the other.
 */
export function wordsOf({ faults: [forward, back] }: TopologyCable, arrows: string): string[] {
  const [there, here] = arrows
  return [
    ...forward.filter((fault) => back.includes(fault)),
    ...forward.filter((fault) => !back.includes(fault)).map((fault) => `${there} ${fault}`),
    ...back.filter((fault) => !forward.includes(fault)).map((fault) => `${here} ${fault}`),
  ]
}
