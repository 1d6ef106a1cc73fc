import { describe, expect, test } from 'vitest'
import { DROP_LIMIT, Drop, dropLayer, dropName } from '../../src/base/drop.ts'

const entries = Object.entries(Drop)

describe('the list of drops', () => {
  test('the list of drops has a code of its own for every name, within the table', () => {
    const codes = entries.map(([, code]) => code)
    expect(new Set(codes).size).toBe(codes.length)
    for (const code of codes) expect(Number.isInteger(code) && code >= 0 && code < DROP_LIMIT).toBe(true)
    expect(Drop.None).toBe(0)
  })

  test('the list of drops stands in the order of the codes', () => {
    const codes = entries.map(([, code]) => code)
    expect(codes).toEqual([...codes].sort((a, b) => a - b))
  })

  test('the list of drops gives the name back for the code', () => {
    for (const [name, code] of entries) expect(dropName(code)).toBe(name)
  })

  test('the list of drops names the layer with the first word of each name', () => {
    const layers: Record<string, string> = {
      Link: 'link',
      Address: 'link',
      Frame: 'link',
      Neighbor: 'link',
      Arp: 'link',
      Wire: 'link',
      Ip: 'ip',
      Fragment: 'ip',
      Icmp: 'icmp',
      Nd: 'icmp',
      Group: 'icmp',
      Udp: 'udp',
      Tcp: 'tcp',
      Sctp: 'sctp',
    }
    for (const [name, code] of entries) {
      if (code === Drop.None) continue
      const first = /^[A-Z][a-z]+/.exec(name)?.[0] ?? ''
      expect(dropLayer(code), name).toBe(layers[first])
    }
  })
})
