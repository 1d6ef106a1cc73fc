/** Labs about addresses that several hosts have: by mistake, on purpose, and as members of a group. */
import type { Lab } from './lab.ts'

export const GROUP_LABS: readonly Lab[] = [
  {
    id: 'dad-conflict',
    title: 'Duplicate addresses',
    about: 'Bob is given an address that Alice has. In IPv6 a host asks before it uses one.',
    open: { time: 239, view: 'ladder' },
    steps: [
      {
        question: 'Bob’s nic is told to use fd00::1. What does he send first?',
        choices: ['a datagram from fd00::1', 'a question who has fd00::1, from no address at all'],
        answer: 1,
        because:
          'Duplicate Address Detection, RFC 4862 section 5.4: the question comes from ::, because he has no right to the address yet.',
        look: { time: 240, view: 'ladder' },
      },
      {
        question: 'Alice hears the question. Whom does she answer?',
        choices: ['Bob alone', 'all nodes on the link', 'nobody'],
        answer: 1,
        because: 'A question from :: leaves nobody to answer to, so her advertisement goes to ff02::1.',
        look: { time: 242, view: 'ladder' },
      },
      {
        question: 'Both flows begin at 3 s. Which one arrives?',
        choices: ['both', 'Carol’s, to fd00::1', 'Bob’s, from fd00::1'],
        answer: 1,
        because: 'Alice keeps the address. Bob has none in this network, and his program is told ENETUNREACH.',
        look: { flow: 0, nth: 1, view: 'flows' },
      },
      {
        question: 'Bob gets fd00::b as well. What now?',
        choices: ['he still cannot send', 'he sends from fd00::b'],
        answer: 1,
        because: 'Each address is asked for by itself: nobody answers for this one, so a second later it is his.',
        edits: [{ set: ['links', 1, 'addresses', 'bob'], value: ['fd00::1/64', 'fd00::b/64'] }],
        look: { flow: 1, nth: 1, view: 'ladder' },
      },
    ],
  },
  {
    id: 'multicast',
    title: 'Multicast and snooping',
    about: 'One datagram for a group, however many want it. A switch that listens sends it to the members alone.',
    open: { flow: 0, nth: 1, view: 'ladder' },
    steps: [
      {
        question: 'Alice has joined 239.1.2.3, Bob and Carol have not. Where does the switch send the film?',
        choices: ['to all ports', 'to Alice alone', 'to Alice and the router'],
        answer: 1,
        because:
          'It has heard Alice’s report (IGMP), and nobody’s question that would show a multicast router: RFC 4541.',
        look: { flow: 0, nth: 1, view: 'ladder' },
      },
      {
        question: 'Without snooping, what would the others do with it?',
        choices: ['show the film', 'throw it away'],
        answer: 1,
        because:
          'A switch that does not look sends a group to all ports. Their nics know the groups that they are in, and drop the rest.',
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
          'Members report when they join, and when a router asks. Here nobody asks, so the switch forgets them: a network that snoops needs a querier.',
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
        because: 'It is an address as any other; each router has a route to the nearest host that has it.',
        look: { flow: 1, nth: 1, view: 'ladder' },
      },
      {
        question: 'At 5 s the cable of west goes down. What does Alice get until routes are computed anew, at 6 s?',
        choices: ['east’s service', 'errors: no route', 'nothing at all'],
        answer: 1,
        because: 'r1 has lost its route and says so, net unreachable. Anycast is as quick as routing is.',
        look: { drop: 'IpNoRoute', view: 'ladder' },
      },
      {
        question: 'And from 6 s on?',
        choices: ['still nothing', 'east, 20 ms further away'],
        answer: 1,
        because: 'The next best route leads there. A program that keeps a state at west would have lost it.',
        look: { flow: 0, nth: 65, view: 'plots' },
      },
      {
        question: 'We make the cable between r2 and r3 expensive, a cost of 50. Who serves Alice then?',
        choices: ['east, as before', 'west, which is up again'],
        answer: 0,
        because: 'A cost only chooses between ways. East is the only one left for her.',
        edits: [{ set: ['links', 3, 'cost'], value: 50 }],
        look: { flow: 0, nth: 65, view: 'ladder' },
      },
    ],
  },
]
