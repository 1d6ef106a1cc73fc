/** Labs about addresses that several hosts have: by mistake, on purpose, and as members of a group. */
import type { Lab } from './lab.ts'

export const GROUP_LABS: readonly Lab[] = [
  {
    id: 'dad-conflict',
    title: 'Duplicate addresses',
    about: 'Bob is given an address that Alice has. In IPv6 a host asks before it uses one.',
    open: { flow: 0, nth: 1, view: 'ladder' },
    steps: [
      {
        question: 'Bob’s nic is told to use fd00::1. What does he send first?',
        choices: ['a datagram from fd00::1', 'a question who has fd00::1, from no address at all'],
        answer: 1,
        because:
          'RFC 4862 section 5.4: from ::, for it is not his yet. Alice tells all that it is hers, and the drawing has none for Bob. Neighbor Discovery itself is in a saved pcapng.',
        look: { flow: 0, nth: 1, view: 'ladder' },
      },
      {
        question: 'Both flows begin at 3 s. Which one arrives?',
        choices: ['both', 'Carol’s, to fd00::1', 'Bob’s, from fd00::1'],
        answer: 1,
        because: 'Alice keeps the address. Bob has none, and his program is told ENETUNREACH.',
        look: { flow: 0, nth: 1, view: 'flows' },
      },
      {
        question: 'Bob gets fd00::b as well. What now?',
        choices: ['he still cannot send', 'he sends from fd00::b'],
        answer: 1,
        because: 'Nobody answers for this one: a second later it is his.',
        edits: [{ set: ['links', 1, 'addresses', 'bob'], value: ['fd00::1/64', 'fd00::b/64'] }],
        look: { flow: 1, nth: 1, view: 'ladder' },
      },
    ],
  },
  {
    id: 'multicast',
    title: 'Multicast and snooping',
    about: 'A switch that listens sends what is for a group to its members alone.',
    open: { flow: 0, nth: 1, view: 'ladder' },
    steps: [
      {
        question: 'Alice has joined 239.1.2.3, Bob and Carol have not. Where does the switch send the film?',
        choices: ['to all ports', 'to Alice alone', 'to Alice and the router'],
        answer: 1,
        because: 'It has heard Alice’s report (IGMP), and no router’s question: RFC 4541.',
        look: { flow: 0, nth: 1, view: 'ladder' },
      },
      {
        question: 'Without snooping, what would the others do with it?',
        choices: ['show the film', 'throw it away'],
        answer: 1,
        because: 'It goes to all ports, and who is not in the group drops it.',
        edits: [{ remove: ['switches', 'sw', 'snooping'] }],
        look: { flow: 0, nth: 3, view: 'ladder' },
      },
      {
        question: 'With snooping again: Bob joins, too. How many copies does the sender send?',
        choices: ['one', 'two'],
        answer: 0,
        because: 'One leaves, and the switch makes two of it.',
        edits: [
          { set: ['switches', 'sw', 'snooping'], value: true },
          { set: ['hosts', 'bob'], value: { groups: ['239.1.2.3'] } },
        ],
        look: { flow: 0, nth: 3, view: 'ladder' },
      },
      {
        question: 'After some minutes the film stops, though nobody has left. Why?',
        choices: ['Alice’s membership has ended', 'the switch has heard no report for 260 s', 'the sender’s TTL is 1'],
        answer: 1,
        because:
          'Members report when they join, and when a router asks. Here nobody asks: a network that snoops needs a querier.',
        look: { drop: 'WireNoReceiver', view: 'ladder' },
      },
    ],
  },
  {
    id: 'anycast',
    title: 'Anycast',
    about: 'Two servers have one address. Who asks it reaches the nearest one, and notices nothing.',
    open: { flow: 0, nth: 1, view: 'ladder' },
    steps: [
      {
        question: 'Alice and Bob both ask 192.0.2.53. Who answers to that?',
        choices: ['west answers both', 'west Alice, east Bob', 'each answers both'],
        answer: 1,
        because: 'Each router has a route to the nearest host that has it.',
        look: { flow: 1, nth: 1, view: 'ladder' },
      },
      {
        question: 'At 5 s the cable of west goes down. What does Alice get until routes are computed anew, at 6 s?',
        choices: ['east’s service', 'errors: no route', 'nothing at all'],
        answer: 1,
        because: 'r1 has lost its route and says so. Anycast is as quick as routing is.',
        look: { drop: 'IpNoRoute', view: 'ladder' },
      },
      {
        question: 'And from 6 s on?',
        choices: ['still nothing', 'east, 20 ms further away'],
        answer: 1,
        because: 'The next best route leads there. What was kept at west is lost.',
        look: { flow: 0, nth: 65, view: 'plots' },
      },
    ],
  },
]
