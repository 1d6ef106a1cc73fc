/** Labs about the way: TTL, routes, MTU, NATs, firewalls, neighbors. */
import type { Lab } from './lab.ts'

export const PATH_LABS: readonly Lab[] = [
  {
    id: 'pmtu-black-hole',
    title: 'PMTU black hole',
    about:
      'The tunnel carries 1400 bytes and says nothing of longer packets: one byte too many, and a datagram is gone.',
    open: { drop: 'LinkMtuExceeded', view: 'ladder' },
    // The tunnel.
    lit: 1,
    steps: [
      {
        question: 'The flow ‘large’ sends 1401-byte packets. What does its sender hear of their loss?',
        choices: ['ICMP fragmentation needed', 'nothing', 'ICMP port unreachable'],
        answer: 1,
        because: 'They vanish on the tunnel’s wire: no router refuses them, so none answers. That is a black hole.',
        look: { drop: 'LinkMtuExceeded', view: 'log' },
      },
      {
        question: 'The third flow lets its packets be cut. Do its datagrams arrive?',
        choices: ['yes, in fragments', 'no: its fragments are as long as its own link allows'],
        answer: 1,
        because:
          'The sender cuts to the 1500 bytes of its own link. Those fragments are too long for the tunnel; the last, short one arrives alone and waits in vain.',
        look: { flow: 2, nth: 1, time: 25, view: 'ladder' },
      },
      {
        question: 'We give the tunnel an MTU that its routers know: mtu 1400 on the cable. What happens to ‘large’?',
        choices: ['still nothing arrives', 'the first is answered, the others arrive', 'all arrive'],
        answer: 1,
        because:
          'r1 now knows what the next link carries, and answers with ICMP fragmentation needed. The sender learns 1400, and cuts.',
        edits: [
          { remove: ['links', 1, 'forward'] },
          { remove: ['links', 1, 'back'] },
          { set: ['links', 1, 'mtu'], value: 1400 },
        ],
        look: { drop: 'IpDontFragment', view: 'flows' },
      },
    ],
  },
  {
    id: 'ttl-scoping',
    title: 'TTL and traceroute',
    about: 'Each router takes one from the TTL; at zero the packet ends, and the router says so.',
    open: { drop: 'IpHopLimitExceeded', view: 'ladder' },
    steps: [
      {
        question: 'Three routers are on the way. At which one does a datagram with TTL 2 end?',
        choices: ['r1', 'r2', 'r3', 'it arrives'],
        answer: 1,
        because: 'It leaves with 2, r1 forwards it with 1, and r2 would have to forward it with 0.',
        look: { drop: 'IpHopLimitExceeded', flow: 1, view: 'ladder' },
      },
      {
        question: 'What does r2 send back?',
        choices: ['nothing', 'ICMP time exceeded in transit', 'ICMP host unreachable'],
        answer: 1,
        because:
          'RFC 792: type 11, code 0, with the header of what ended quoted in it. Look at its bytes: the quoted TTL is 1.',
        look: { drop: 'IpHopLimitExceeded', flow: 1, effect: true, view: 'ladder' },
      },
      {
        question: 'How does traceroute find the address of the third router?',
        choices: ['it asks the second', 'it sends with TTL 3 and reads who answers', 'it reads its own routes'],
        answer: 1,
        because: 'The source of the answer is the router’s address. One TTL after the other draws the path.',
        look: { drop: 'IpHopLimitExceeded', flow: 2, effect: true, view: 'ladder' },
      },
    ],
  },
  {
    id: 'detour',
    title: 'A cable goes down',
    about: 'At 1 s the short way is cut. For half a second nobody knows another one.',
    open: { drop: 'IpNoRoute', view: 'ladder' },
    steps: [
      {
        question: 'What does r1 do with packets in that half second?',
        choices: ['it keeps them', 'it drops them, and says so now and then', 'it floods them'],
        answer: 1,
        because: 'There is no route: it answers ICMP net unreachable, but not for each (errors have a rate limit).',
        look: { drop: 'IpNoRoute', view: 'log' },
      },
      {
        question: 'After the detour is found, how much longer does a packet take?',
        choices: ['about 1 ms', 'about 35 ms', 'about 100 ms'],
        answer: 1,
        because: 'Two cables of 20 ms in place of one of 5 ms: 44 ms instead of 9.',
        look: { flow: 0, nth: 40, view: 'plots' },
      },
      {
        question: 'With a dearer detour (cost 50), is it taken?',
        choices: ['yes', 'no'],
        answer: 0,
        because: 'Costs decide between ways. When there is only one, it is taken.',
        edits: [{ set: ['links', 2, 'cost'], value: 50 }],
        look: { flow: 0, nth: 40, view: 'flows' },
      },
    ],
  },
  {
    id: 'nat-hole-punching',
    title: 'NATs and hole punching',
    about: 'Two hosts behind NATs open the way for each other by sending first; a stranger stays out.',
    open: { drop: 'WireNatUnmapped', view: 'ladder' },
    steps: [
      {
        question: 'Alice’s first datagrams reach Bob’s NAT. What becomes of them?',
        choices: ['they arrive', 'the NAT has no mapping for them', 'Bob refuses them'],
        answer: 1,
        because: 'Nobody inside has used that port yet, so the NAT does not know for whom it is.',
        look: { drop: 'WireNatUnmapped', flow: 0, view: 'ladder' },
      },
      {
        question: 'Bob begins to send at 1 s. What does that change for Alice?',
        choices: ['nothing', 'from then on her datagrams arrive'],
        answer: 1,
        because: 'Bob’s own datagram made a mapping, and he sent to Alice: her datagrams look like answers.',
        look: { flow: 0, nth: 14, view: 'ladder' },
      },
      {
        question: 'The stranger sends to the same address and port. Does it get in now?',
        choices: ['yes, the mapping is there', 'no, the NAT lets in only whom Bob has written to'],
        answer: 1,
        because: 'Filtering by address and port (RFC 4787 section 5): the mapping is there, but not for this sender.',
        look: { drop: 'WireNatFiltered', flow: 2, view: 'log' },
      },
      {
        question: 'Bob’s NAT now gives each destination a port of its own. Does the punch still work?',
        choices: ['yes', 'no'],
        answer: 0,
        because:
          'Here it does, because the NAT still keeps the inside port where it is free, and Alice aims at just that port. Take preservePorts away, and she misses.',
        edits: [{ set: ['routers', 'natB', 'nat', 'mapping'], value: 'address-and-port-dependent' }],
        look: { flow: 0, nth: 14, view: 'flows' },
      },
    ],
  },
  {
    id: 'firewall',
    title: 'What a firewall hides',
    about: 'A firewall without ICMP errors turns a small mistake into silence.',
    open: { drop: 'WireFiltered', view: 'ladder' },
    steps: [
      {
        question: 'The blocked flow is dropped at the firewall. What does its sender hear?',
        choices: ['ICMP administratively prohibited', 'nothing'],
        answer: 1,
        because: 'This filter discards without a word, as many do.',
        look: { drop: 'WireFiltered', flow: 1, view: 'log' },
      },
      {
        question: 'The flow ‘too long’ is refused by r1 behind the firewall, which answers. Where does the answer end?',
        choices: ['at its sender', 'at the firewall', 'it is not sent'],
        answer: 1,
        because: 'The answer is an ICMP error, and of those none passes: the sender goes on for ever.',
        look: { drop: 'IpDontFragment', effect: true, view: 'ladder' },
      },
      {
        question: 'We let ten errors a second pass. What does the sender do then?',
        choices: ['it sends as before', 'it learns the MTU, and its program is told EMSGSIZE'],
        answer: 1,
        because:
          'Path MTU discovery needs these errors. Blocking all of ICMP breaks it (RFC 4890 says which to let pass).',
        edits: [{ set: ['routers', 'fw', 'filter', 'icmpErrors'], value: 10 }],
        look: { drop: 'IpDontFragment', effect: true, view: 'flows' },
      },
    ],
  },
  {
    id: 'arp',
    title: 'ARP at work',
    about:
      'A host must know the hardware address before it can send. For an address that nobody has, packets wait in vain.',
    open: { flow: 0, nth: 1, view: 'ladder' },
    steps: [
      {
        question: 'The first datagram to Bob takes 6 ms, the second 2 ms. What are the 4 ms?',
        choices: ['the switch learns', 'a question to all and its answer', 'chance'],
        answer: 1,
        because: 'Alice asks who has 192.168.0.2; the question and Bob’s answer cross two cables each.',
        look: { flow: 0, nth: 1, view: 'plots' },
      },
      {
        question: 'What becomes of the datagrams to 192.168.0.99, which nobody has?',
        choices: ['they are sent to all', 'they wait at Alice, and are given up'],
        answer: 1,
        because:
          'After three questions without an answer the neighbor counts as unreachable, and what waits is dropped.',
        look: { drop: 'NeighborUnreachable', view: 'log' },
      },
      {
        question: 'Carol gets that address as well. What changes?',
        choices: ['nothing', 'the datagrams arrive at Carol'],
        answer: 1,
        because: 'She answers the question now.',
        edits: [{ set: ['links', 2, 'addresses', 'carol'], value: '192.168.0.99/24' }],
        look: { flow: 1, nth: 1, view: 'ladder' },
      },
    ],
  },
]
