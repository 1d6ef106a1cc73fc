/** The scenarios of the labs: together, for files so small are packed badly one by one. */
export const TEXTS = import.meta.glob<string>(
  [
    './*.yaml',
    // Those examples that are labs.
    '../../examples/scenarios/{anycast,bufferbloat,bufferbloat-codel,dad-conflict,multicast}.yaml',
    '../../examples/scenarios/{nat-hole-punching,pmtu-black-hole,reordering-by-size,ttl-scoping}.yaml',
  ],
  {
    query: '?raw',
    import: 'default',
    eager: true,
  },
)
