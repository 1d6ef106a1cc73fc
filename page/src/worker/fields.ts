/** Where the fields of a header stand in the frame, and what defines them. */
import type { Layer } from '../../../src/describe.ts'
import type { PacketField, PacketLayer } from '../protocol.ts'

/** Bytes from the front of the header: where a field begins, and how long it is. */
type Places = Readonly<Record<string, readonly [at: number, length: number]>>

/** `source` is the document and section of the header's picture. */
const HEADERS: Readonly<Record<string, { source: string; places: Places }>> = {
  Ethernet: { source: 'IEEE 802.3', places: { destination: [0, 6], source: [6, 6], type: [12, 2] } },
  VLAN: {
    source: 'IEEE 802.1Q',
    places: {
      'tag protocol': [-2, 2],
      priority: [0, 1],
      'drop eligible': [0, 1],
      identifier: [0, 2],
      type: [2, 2],
    },
  },
  ARP: {
    source: 'RFC 826',
    places: {
      'hardware type': [0, 2],
      'protocol type': [2, 2],
      'hardware length': [4, 1],
      'protocol length': [5, 1],
      operation: [6, 2],
      'sender hardware address': [8, 6],
      'sender address': [14, 4],
      'target hardware address': [18, 6],
      'target address': [24, 4],
    },
  },
  IPv4: {
    source: 'RFC 791 section 3.1',
    places: {
      version: [0, 1],
      'header length': [0, 1],
      TOS: [1, 1],
      'total length': [2, 2],
      identification: [4, 2],
      flags: [6, 1],
      'fragment offset': [6, 2],
      TTL: [8, 1],
      protocol: [9, 1],
      'header checksum': [10, 2],
      source: [12, 4],
      destination: [16, 4],
    },
  },
  IPv6: {
    source: 'RFC 8200 section 3',
    places: {
      version: [0, 1],
      'traffic class': [0, 2],
      'flow label': [1, 3],
      'payload length': [4, 2],
      'next header': [6, 1],
      'hop limit': [7, 1],
      source: [8, 16],
      destination: [24, 16],
    },
  },
  'fragment header': {
    source: 'RFC 8200 section 4.5',
    places: {
      'next header': [0, 1],
      'fragment offset': [2, 2],
      'more fragments': [3, 1],
      identification: [4, 4],
    },
  },
  UDP: {
    source: 'RFC 768',
    places: { 'source port': [0, 2], 'destination port': [2, 2], length: [4, 2], checksum: [6, 2] },
  },
  ICMP: {
    source: 'RFC 792',
    places: { type: [0, 1], code: [1, 1], checksum: [2, 2], 'rest of header': [4, 4] },
  },
  ICMPv6: {
    source: 'RFC 4443 section 2.1',
    places: { type: [0, 1], code: [1, 1], checksum: [2, 2], 'rest of header': [4, 4] },
  },
  TCP: {
    source: 'RFC 9293 section 3.1',
    places: {
      'source port': [0, 2],
      'destination port': [2, 2],
      'sequence number': [4, 4],
      'acknowledgment number': [8, 4],
      'header length': [12, 1],
      flags: [13, 1],
      window: [14, 2],
      checksum: [16, 2],
    },
  },
}

/** A field whose place is not known is the whole header. */
export function layersOf(layers: readonly Layer[]): PacketLayer[] {
  return layers.map(({ name, at, length, fields }) => {
    const header = HEADERS[name.replace(/^quoted /, '')]
    return {
      name,
      at,
      length,
      fields: fields.map(([field, value]): PacketField => {
        const [offset, size] = header?.places[field] ?? [0, length]
        return { name: field, value, at: at + offset, length: size, source: header?.source ?? '' }
      }),
    }
  })
}
