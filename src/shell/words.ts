/** Words of what commands say. */

/** `1 datagram`, `2 datagrams`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
