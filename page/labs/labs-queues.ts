/** Labs about queues, order and chance. */
import type { Lab } from './lab.ts'

export const QUEUE_LABS: readonly Lab[] = [
  {
    id: 'bufferbloat',
    title: 'Bufferbloat',
    about: 'A download fills the modem’s queue, and a call waits behind it for two seconds.',
    open: { time: 9000, view: 'plots' },
    steps: [
      {
        question: 'The queue has room for 250 packets. How long does the call’s packet wait when it is full?',
        choices: ['20 ms', 'about 2 s', 'it is dropped'],
        answer: 1,
        because: '250 packets of some 1200 bytes are 2.4 Mbit: over two seconds on a line of 1 Mbit/s.',
        look: { time: 15_000, view: 'plots' },
      },
      {
        question: 'What if the queue had room for 20 packets only?',
        choices: ['the call waits less', 'the call waits as long'],
        answer: 0,
        because: 'A short queue drops earlier, and delays less.',
        edits: [{ set: ['links', 1, 'forward', 'queue'], value: { tailDrop: { packets: 20 } } }],
        look: { time: 15_000, view: 'plots' },
      },
      {
        question: 'And with CoDel in place of the long queue?',
        choices: ['as with 250 packets', 'the wait comes down by itself'],
        answer: 1,
        because: 'CoDel looks at how long packets wait, not at how many there are (RFC 8289).',
        edits: [{ set: ['links', 1, 'forward', 'queue'], value: { codel: { packets: 250 } } }],
        look: { time: 15_000, view: 'plots' },
      },
    ],
  },
  {
    id: 'bufferbloat-codel',
    title: 'CoDel',
    about: 'As soon as packets wait too long for too long, CoDel gives some up, faster and faster.',
    open: { drop: 'WireCodel', view: 'plots' },
    steps: [
      {
        question: 'When does CoDel drop the first packet?',
        choices: ['when the queue is full', 'when the wait has been above 5 ms for 100 ms'],
        answer: 1,
        because: 'Target and interval of RFC 8289: a short burst is allowed, a standing queue is not.',
        look: { drop: 'WireCodel', view: 'log' },
      },
      {
        question: 'The sender does not slow down. What does CoDel do?',
        choices: ['it drops at a steady rate', 'it drops more and more often'],
        answer: 1,
        because:
          'The pause between drops falls with the square root of their count. UDP without feedback forces it far.',
        look: { time: 10_000, view: 'plots' },
      },
      {
        question: 'We let the download send at 0.8 Mbit/s, below the line’s rate. Does CoDel drop?',
        choices: ['yes', 'no'],
        answer: 1,
        because: 'No standing queue, no drops.',
        edits: [{ set: ['flows', 0, 'rate'], value: '0.8Mbit' }],
        look: { time: 10_000, view: 'flows' },
      },
    ],
  },
  {
    id: 'ecn',
    title: 'ECN',
    about: 'Who understands marks is marked, who does not is dropped: two bits in the header make the difference.',
    open: { drop: 'WireCodel', view: 'ladder' },
    steps: [
      {
        question: 'Both flows are equal but for their TOS byte. Which one loses packets?',
        choices: ['both', 'only the one without ECN'],
        answer: 1,
        because: 'TOS 2 is ECT(0). CoDel sets it to CE instead of dropping.',
        look: { time: 5000, view: 'flows' },
      },
      {
        question: 'Which bits change when a packet is marked?',
        choices: ['the last two of TOS, and the header’s checksum', 'the UDP checksum'],
        answer: 0,
        because: 'Compare the bytes before and behind the modem: 0x02 becomes 0x03.',
        look: { flow: 0, nth: 100, view: 'ladder' },
      },
      {
        question: 'Without ecn in the queue, are there marks?',
        choices: ['yes', 'no, both are dropped'],
        answer: 1,
        because: 'Then CoDel knows only one way to speak.',
        edits: [{ set: ['links', 1, 'forward', 'queue'], value: { codel: { packets: 250 } } }],
        look: { time: 5000, view: 'flows' },
      },
    ],
  },
  {
    id: 'bands',
    title: 'Three bands',
    about: 'The call’s packets go in front, by their TOS; the download waits.',
    open: { time: 3000, view: 'plots' },
    steps: [
      {
        question: 'The download fills its band. How long does a packet of the call take?',
        choices: ['about a second', 'about 20 ms'],
        answer: 1,
        because: 'It waits at most for the one packet that is being sent.',
        look: { time: 3000, view: 'plots' },
      },
      {
        question: 'Who pays for it?',
        choices: ['nobody', 'the download, which waits and is dropped'],
        answer: 1,
        because: 'Bands share out waiting, they do not make room.',
        look: { drop: 'WireQueueFull', view: 'flows' },
      },
      {
        question: 'We give the call the TOS of the download. What now?',
        choices: ['as before', 'the call waits with the download'],
        answer: 1,
        because: 'Without the mark it is a packet like all others.',
        edits: [{ set: ['flows', 1, 'tos'], value: 8 }],
        look: { time: 3000, view: 'plots' },
      },
    ],
  },
  {
    id: 'reordering-by-size',
    title: 'Reordering by size',
    about:
      'Small packets take a shorter way: a flow of mixed sizes arrives in another order, one of equal sizes does not.',
    open: { flow: 0, nth: 3, view: 'ladder' },
    steps: [
      {
        question: 'Packets below 500 bytes overtake. Which flow is reordered?',
        choices: ['both', 'the one of mixed sizes', 'the one of equal sizes'],
        answer: 1,
        because: 'Within a flow of equal sizes nobody is faster.',
        look: { flow: 0, nth: 4, view: 'ladder' },
      },
      {
        question: 'What would a player with a short buffer make of it?',
        choices: ['nothing', 'late packets are as good as lost'],
        answer: 1,
        because: 'What comes behind its turn by more than the buffer is of no use (RFC 4737).',
        look: { time: 5000, view: 'plots' },
      },
      {
        question: 'We reorder packets of all sizes, one in ten. Which flow is reordered now?',
        choices: ['both', 'only the mixed one'],
        answer: 0,
        because: 'Now it is chance that picks who overtakes.',
        edits: [{ set: ['links', 0, 'forward', 'reordering'], value: '10%' }],
        look: { time: 5000, view: 'flows' },
      },
    ],
  },
  {
    id: 'bursts',
    title: 'Loss in bursts',
    about: 'Two wires lose about as much. On one, the losses come together.',
    open: { drop: 'WireLoss', view: 'plots' },
    steps: [
      {
        question: 'Which flow loses several packets in a row more often?',
        choices: ['one by one', 'in bursts'],
        answer: 1,
        because: 'In its bad state the Gilbert–Elliott wire loses everything, four packets on average.',
        look: { flow: 1, nth: 1, time: 10_000, view: 'plots' },
      },
      {
        question: 'A code repairs one lost packet in ten. Which flow does it help more?',
        choices: ['one by one', 'in bursts'],
        answer: 0,
        because: 'Bursts take more than one of the ten.',
        look: { time: 10_000, view: 'log' },
      },
      {
        question: 'We make the bad state shorter (toGood 1). What becomes of the bursts?',
        choices: ['they stay', 'each is a single packet'],
        answer: 1,
        because: 'After each packet it is good again.',
        edits: [{ set: ['links', 2, 'forward', 'loss', 'gilbertElliott', 'toGood'], value: 1 }],
        look: { time: 10_000, view: 'plots' },
      },
    ],
  },
]
