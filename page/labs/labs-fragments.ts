/** Labs about datagrams in pieces. */
import type { Lab } from './lab.ts'

export const FRAGMENT_LABS: readonly Lab[] = [
  {
    id: 'fragmentation',
    title: 'Fragmentation in IPv4',
    about: 'In front of a narrow link a router cuts, or refuses to: the Don’t Fragment bit decides.',
    open: { flow: 0, nth: 1, time: 8, view: 'ladder' },
    steps: [
      {
        question: 'Who cuts the datagrams of the first flow?',
        choices: ['the client', 'r1', 'r2'],
        answer: 1,
        because: 'They leave whole, 1428 bytes long; r1 knows that its next link carries 1000.',
        look: { flow: 0, nth: 1, time: 8, view: 'ladder' },
      },
      {
        question: 'And who puts them together again?',
        choices: ['r2', 'the server'],
        answer: 1,
        because: 'Only the destination can wait for all of them: routers do not.',
        look: { flow: 0, nth: 1, time: 20, view: 'log' },
      },
      {
        question: 'The second flow forbids cutting. Its first datagram is lost. And the second one?',
        choices: ['it is lost too', 'it is cut by the client', 'it is sent whole'],
        answer: 1,
        because:
          'r1’s error has told the client the MTU, and a socket that merely wants discovery then cuts by itself.',
        look: { drop: 'IpDontFragment', view: 'ladder' },
      },
    ],
  },
  {
    id: 'fragmentation-6',
    title: 'Fragmentation in IPv6',
    about: 'No router cuts in IPv6: it says Packet Too Big, and the sender cuts from then on.',
    open: { drop: 'IpDontFragment', view: 'ladder' },
    steps: [
      {
        question: 'What does r1 do with the first datagram, which is too long?',
        choices: ['cuts it', 'drops it, and tells the client'],
        answer: 1,
        because: 'RFC 8200 section 5: fragmentation is the sender’s business only.',
        look: { drop: 'IpDontFragment', effect: true, view: 'ladder' },
      },
      {
        question: 'How does the second datagram leave the client?',
        choices: ['whole', 'in two fragments, with a fragment header each'],
        answer: 1,
        because: 'Look at its bytes: next header 44, then offset and identification in 8 bytes of their own.',
        look: { flow: 0, nth: 2, view: 'ladder' },
      },
      {
        question: 'Is there a smaller MTU than 1280 for an IPv6 link?',
        choices: ['yes, 576', 'no'],
        answer: 1,
        because: 'RFC 8200 section 5. Datagrams of 1232 bytes of payload therefore always fit.',
        edits: [{ set: ['flows', 0, 'size'], value: 1232 }],
        look: { flow: 0, nth: 1, view: 'flows' },
      },
    ],
  },
  {
    id: 'fragment-loss',
    title: 'One fragment is lost',
    about: 'Four slices leave, one falls off; three wait at the server until time runs out.',
    open: { drop: 'WireLoss', view: 'ladder' },
    steps: [
      {
        question: 'Three of four fragments arrive. What does the program get?',
        choices: ['three quarters of the data', 'nothing'],
        answer: 1,
        because: 'A datagram is whole or it is not: fragments are not sent again.',
        look: { drop: 'WireLoss', time: 30, view: 'ladder' },
      },
      {
        question: 'How long does the server keep the three?',
        choices: ['until the next datagram', '30 s', 'for ever'],
        answer: 1,
        because: 'Then it discards them, and, as it has the first fragment, sends ICMP reassembly time exceeded.',
        look: { drop: 'FragmentTimeout', view: 'log' },
      },
      {
        question:
          'With one packet in ten lost at random, which datagrams suffer more: those of one fragment or of four?',
        choices: ['both alike', 'those of four'],
        answer: 1,
        because: 'A datagram of four arrives with probability 0.9 to the fourth power: about two in three.',
        edits: [
          { set: ['links', 1, 'forward', 'loss'], value: '10%' },
          { set: ['flows', 0, 'count'], value: 100 },
          {
            set: ['flows', 1],
            value: { name: 'one slice', from: 'client', to: 'server', size: 1200, rate: 10, count: 100 },
          },
        ],
        look: { time: 9900, view: 'flows' },
      },
    ],
  },
  {
    id: 'fragmentation-loss',
    title: 'Fragments multiply loss',
    about: 'One packet in a hundred is lost. Of datagrams with six fragments it is one in seventeen.',
    open: { drop: 'WireLoss', view: 'flows' },
    steps: [
      {
        question: 'Loss is 1 % a packet. How much is it for datagrams of three fragments?',
        choices: ['1 %', 'about 3 %', 'about 9 %'],
        answer: 1,
        because: '1 − 0.99³ is 2.97 %.',
        look: { time: 2990, view: 'flows' },
      },
      {
        question: 'And for six?',
        choices: ['about 6 %', 'about 12 %', '1 %'],
        answer: 0,
        because: '1 − 0.99⁶ is 5.85 %.',
        look: { time: 2990, view: 'plots' },
      },
      {
        question: 'What would help?',
        choices: ['larger datagrams', 'datagrams that fit into one packet'],
        answer: 1,
        because: 'Discover the path’s MTU and stay below it.',
        edits: [{ set: ['flows', 2, 'size'], value: 1400 }],
        look: { time: 2990, view: 'flows' },
      },
    ],
  },
  {
    id: 'identification',
    title: 'Identification wraps',
    about: 'At 500 000 datagrams a second, 16 bits of Identification last 131 ms: fragments of two datagrams meet.',
    open: { drop: 'UdpChecksum', view: 'log' },
    steps: [
      {
        question: 'A lost fragment leaves its other half waiting. What can come along?',
        choices: ['nothing, it times out', 'a fragment of a later datagram with the same Identification'],
        answer: 1,
        because: 'It waits for 30 s, and the number comes again after 65 536 datagrams (RFC 4963).',
        look: { drop: 'UdpChecksum', view: 'log' },
      },
      {
        question: 'What keeps the wrong mixture from the program?',
        choices: ['nothing', 'the UDP checksum, most of the time'],
        answer: 1,
        because: 'One mixture in 65 536 passes it. At such rates, avoid fragments.',
        look: { drop: 'UdpChecksum', view: 'flows' },
      },
      {
        question: 'At a tenth of the rate, does it still happen within 30 s?',
        choices: ['no', 'yes'],
        answer: 1,
        because:
          'At 50 000 a second the number comes again after 1.3 s, far within 30 s. This run is just too short to show it.',
        edits: [
          { set: ['flows', 0, 'rate'], value: 50_000 },
          { set: ['flows', 0, 'count'], value: 5000 },
        ],
        look: { drop: 'FragmentTimeout', view: 'flows' },
      },
    ],
  },
]
