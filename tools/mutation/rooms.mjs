/**
 * What is mutated, room by room, and the tests that have to notice: they run in memory, and anew for
 * each mutant, so a room has its own and no others. `slow` are names of tests that are left out
 * because they take seconds: random trials, and tables filled to the last entry.
 */
export const rooms = {
  base: {
    mutate: ['src/base/{checksum,address-map,hash-table,memory-account,range}.ts'],
    tests: ['test/base/{checksum,address-map,hash,hash-table,memory-account,range}.test.ts'],
  },
  wire: {
    mutate: ['src/wire/{ipv4,udp}.ts'],
    tests: ['test/wire/{ipv4,udp}.test.ts'],
  },
  fragments: {
    mutate: ['src/ip/fragments/{fragment-runs,fragmenter,identification}.ts'],
    tests: ['test/ip/fragments/{fragment-runs,fragmenter,identification}.test.ts'],
    slow: ['become the packet again'],
  },
  nat: {
    mutate: ['src/network/nat/{mapping,mapping-table}.ts'],
    tests: ['test/network/nat/{mapping,mapping-table,tcp-session}.test.ts'],
  },
  ports: {
    mutate: ['src/udp/port-table.ts'],
    tests: ['test/udp/{port-rules,port-table}.test.ts'],
    slow: ['behind a taken range', 'while one is left', 'beside thousands', 'among thousands', 'as the kernel decides'],
  },
}
