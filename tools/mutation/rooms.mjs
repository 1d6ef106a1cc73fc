/**
 * What is mutated, room by room, and the tests that have to notice. They run in memory, once for
 * each mutant, so a room has no others than its own.
 */
export const rooms = {
  base: {
    mutate: ['src/base/{checksum,address-map,hash-table,hash,memory-account,range}.ts'],
    tests: ['test/base/{checksum,address-map,hash,range}.test.ts', 'test/tables.test.ts'],
  },
  wire: {
    mutate: ['src/wire/{ipv4,udp,icmpv4,ipv6,ipv6-header,ipv6-extensions}.ts'],
    tests: ['test/wire/{ipv4,udp,icmpv4,ipv6}.test.ts'],
  },
  fragments: {
    mutate: ['src/ip/fragments/{fragment-runs,fragmenter,identification}.ts'],
    tests: ['test/ip/fragments/*.test.ts'],
  },
  ports: {
    mutate: ['src/udp/port-table.ts'],
    tests: ['test/udp/port-table.test.ts'],
  },
  nat: {
    mutate: ['src/network/nat/{mapping,mapping-table}.ts'],
    tests: ['test/network/nat/*.test.ts'],
  },
}
