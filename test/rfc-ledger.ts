/**
 * What the RFCs ask of this stack, and which test shows it. `docs/rfcs.md` is made from this by
 * `test/rfc-ledger.test.ts` (`TUNGRAM_WRITE_LEDGER=1 npx vitest run test/rfc-ledger.test.ts`),
 * which also fails when a test named here does not exist.
 */

/** As the RFC has it, or as RFC 2119 would put it for older documents. */
export type Level = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY'

export interface Requirement {
  readonly rfc: number
  readonly section: string
  readonly asks: string
  readonly level: Level
  /**
   * File under `test/`, and a part of the test's name; `null` while there is none, and for what
   * does not apply.
   */
  readonly test: readonly [file: string, name: string] | null
  /** Why it does not apply to this stack. */
  readonly notApplicable?: string
}

const rows: Requirement[] = []
const file = (path: string) => (rfc: number, section: string, level: Level, asks: string, name: string) => {
  rows.push({ rfc, section, level, asks, test: [path, name] })
}
const notApplicable = (rfc: number, section: string, level: Level, asks: string, why: string) => {
  rows.push({ rfc, section, level, asks, test: null, notApplicable: why })
}

const kernel = file('differential/cases.ts')
kernel(
  768,
  '',
  'MUST',
  'a length below 8 or beyond the IP payload is discarded',
  'a UDP length below 8 or beyond the IP payload is a silent drop',
)
kernel(768, '', 'MUST', 'a transmitted checksum of zero means none', 'a zero UDP checksum is none in IPv4')
kernel(791, '3.1', 'MUST', 'an IHL below 5 is discarded', 'an IHL below 5 or beyond the packet is a silent drop')
kernel(791, '3.1', 'MUST', 'options are checked one by one up to End of Options', 'anything after end of options')
kernel(791, '3.1', 'MUST', 'Record Route is filled in', 'a record route of three slots')
kernel(
  791,
  '3.1',
  'MUST',
  'Timestamp is filled in; what overflows is counted',
  'a timestamp that is full and whose overflow is 15',
)
kernel(
  791,
  '3.2',
  'MUST',
  'fragments are put together by source, destination, protocol and identification',
  'the key has the protocol',
)
kernel(791, '3.2', 'MUST', 'fragments may come in any order', 'two fragments in reverse order')
kernel(
  792,
  '',
  'MUST',
  'an echo reply has identifier, sequence and data of the request',
  'an echo reply copies identifier, sequence and data',
)
kernel(815, '', 'SHOULD', 'a duplicate does not disturb the datagram', 'duplicates of every fragment')
kernel(
  894,
  '',
  'MUST',
  'bytes behind Total Length are padding',
  'bytes behind Total Length are ignored, in the quote as well',
)
kernel(1071, '2', 'MUST', 'zero and all ones are the same sum', 'a checksum of 0xffff is as good as 0')
kernel(1122, '3.2.1.1', 'MUST', 'another version is silently discarded', 'a version other than 4 is a silent drop')
kernel(
  1122,
  '3.2.1.2',
  'MUST',
  'a wrong header checksum is silently discarded',
  'a header checksum that does not sum to all ones is a silent drop',
)
kernel(1122, '3.2.1.3', 'MUST', 'invalid source addresses are silently discarded', '(RFC 1122 3.2.1.3, RFC 6890)')
kernel(
  1122,
  '3.2.1.7',
  'MUST NOT',
  'a datagram for this host is discarded for a TTL below 2',
  'a TTL of 0 or 1 is delivered and answered by the destination',
)
kernel(1122, '3.2.1.8', 'MUST', 'unknown options are silently ignored', 'an unknown option')
kernel(
  1122,
  '3.2.2',
  'MUST NOT',
  'an ICMP error answers an ICMP error',
  'no error about an ICMP error (RFC 1122 3.2.2)',
)
kernel(1122, '3.2.2', 'MUST NOT', 'an ICMP error answers a broadcast or multicast', 'a datagram to a closed port of ')
kernel(1122, '3.2.2', 'MUST NOT', 'an ICMP error answers a later fragment', 'no error about a later fragment')
kernel(
  1122,
  '3.2.2',
  'MUST',
  'unknown ICMP types are silently discarded',
  'deprecated and unknown ICMP types are silent',
)
kernel(
  1122,
  '3.2.2.1',
  'SHOULD',
  'an unknown protocol draws Protocol Unreachable',
  'an unknown protocol draws Protocol Unreachable',
)
kernel(
  1122,
  '3.2.2.6',
  'MUST',
  'an echo request is answered, with Record Route and Timestamp updated',
  'IPv4 options, echoed',
)
kernel(1122, '3.2.2.8', 'MAY', 'a timestamp request is answered', 'a timestamp request is answered')
kernel(
  1122,
  '3.3.2',
  'MUST',
  'datagrams of at least 576 bytes are put together',
  'a datagram of 65507 bytes, the largest',
)
kernel(
  1122,
  '4.1.3.1',
  'SHOULD',
  'a closed port draws Port Unreachable',
  'a closed port draws Port Unreachable that quotes at most 548 bytes',
)
kernel(1122, '4.1.3.3', 'MUST', 'ICMP errors reach the socket they are about', 'about a connected socket')
kernel(
  1122,
  '4.1.3.4',
  'MUST',
  'a wrong checksum is silently discarded',
  'a wrong UDP checksum is a silent drop, on a closed port too',
)
kernel(1191, '3', 'MUST NOT', 'the path MTU goes below 68', 'Fragmentation Needed sets the path MTU, never below 552')
kernel(
  1812,
  '4.3.2.3',
  'SHOULD',
  'an error quotes as much as fits into 576 bytes',
  'a closed port draws Port Unreachable that quotes at most 548 bytes',
)
kernel(
  1812,
  '4.3.2.5',
  'SHOULD',
  'errors have the precedence of network control',
  'the error keeps the precedence of network control',
)
kernel(3168, '5.3', 'MUST', 'ECN of fragments is combined, or the datagram discarded', 'fragments with ECN ')
kernel(
  3493,
  '3.7',
  'MUST',
  'an IPv6 socket gets IPv4 as mapped addresses',
  'a dual-stack socket gets IPv4 as mapped addresses',
)
kernel(4291, '2.7', 'MUST NOT', 'a group is a source', 'an IPv6 datagram from ')
kernel(4443, '2.3', 'MUST', 'the checksum is checked', 'ICMPv6 with a wrong checksum or too short is a silent drop')
kernel(
  4443,
  '2.4 (c)',
  'MUST',
  'an error has at most 1280 bytes',
  'a closed port draws ICMPv6 Port Unreachable of at most 1280 bytes',
)
kernel(4443, '2.4 (e)', 'MUST NOT', 'an error answers an error', 'no error about an ICMPv6 error')
kernel(
  4443,
  '2.4 (e)',
  'MUST NOT',
  'an error answers a multicast, but Packet Too Big and unknown options',
  'unknown options to ',
)
kernel(4443, '2.4 (e)', 'MUST NOT', 'an error goes to an anycast source', 'an IPv6 datagram from ')
kernel(
  4443,
  '3.4',
  'MUST',
  'an unknown next header draws Parameter Problem 1',
  'an unknown next header draws Parameter Problem 1 with its offset',
)
kernel(4443, '4.2', 'MUST', 'an echo request is answered', 'an ICMPv6 echo reply copies identifier, sequence and data')
kernel(
  4942,
  '2.1.9.5',
  'SHOULD',
  'excessive padding is discarded',
  'padding of more than seven bytes, or not zero, is a silent drop',
)
kernel(5095, '3', 'MUST', 'a type 0 routing header with segments left is refused', 'a routing header of any type')
kernel(5722, '4', 'MUST', 'overlapping fragments discard the datagram', 'a partial overlap kills the IPv6 datagram')
kernel(6633, '3', 'MUST', 'Source Quench is silently discarded', 'deprecated and unknown ICMP types are silent')
kernel(6918, '2', 'SHOULD NOT', 'deprecated types are answered', 'deprecated and unknown ICMP types are silent')
kernel(
  6946,
  '4',
  'MUST',
  'an atomic fragment is processed alone',
  'an atomic fragment stays apart from a pending datagram',
)
kernel(
  7112,
  '5',
  'SHOULD',
  'a first fragment has the whole header chain',
  'a first IPv6 fragment without the whole chain draws Parameter Problem 3',
)
kernel(7126, '4.3', 'SHOULD', 'source routes are refused', 'a loose source route')
kernel(
  8200,
  '3',
  'MUST',
  'a destination takes packets whose hop limit is 0',
  'a hop limit of 0 or 1 is delivered and answered by the destination',
)
kernel(8200, '4.1', 'MUST', 'extension headers are taken in any order', 'extension headers in any order')
kernel(8200, '4.1', 'MUST', 'hop-by-hop options come first only', 'hop-by-hop anywhere but first')
kernel(
  8200,
  '4.2',
  'MUST',
  'unknown options are treated by their two top bits',
  'unknown options by their two top bits',
)
kernel(
  8200,
  '4.4',
  'MUST',
  'unknown routing types are skipped without segments left, refused with',
  'a routing header of any type',
)
kernel(
  8200,
  '4.5',
  'MUST',
  'a middle fragment whose length is no multiple of 8 draws Parameter Problem 0',
  'a middle IPv6 fragment whose length is no multiple of 8 draws Parameter Problem',
)
kernel(
  8200,
  '4.5',
  'MUST',
  'more than 65535 bytes draw Parameter Problem 0',
  'IPv6 fragments beyond 65535 bytes draw Parameter Problem at the offset',
)
kernel(8200, '4.5', 'MUST', 'reserved fields are ignored', 'reserved bits of the fragment header are ignored')
kernel(
  8200,
  '8.1',
  'MUST',
  'a zero UDP checksum is discarded',
  'UDP over IPv6: a zero or wrong checksum is a silent drop',
)
kernel(
  8201,
  '4',
  'MUST',
  'Packet Too Big below 1280 is discarded',
  'Packet Too Big sets the path MTU, below 1280 it is ignored',
)
kernel(8504, '5.3', 'MAY', 'the number of options is limited', 'more than eight options are a silent drop')
kernel(
  9868,
  '7',
  'MUST',
  'the surplus behind the UDP length is no payload',
  'a UDP length below the IP payload trims the datagram',
)

const hostOnly = file('ip/host-only.test.ts')
hostOnly(1122, '3.2.1.3', 'MUST NOT', 'a loopback address appears outside the host', 'leaves by no way of the IP layer')
hostOnly(4291, '2.5.3', 'MUST NOT', '`::1` is sent outside the node', 'leaves by no way of the IP layer')
hostOnly(4291, '2.5.3', 'MUST', 'what comes to `::1` from outside is dropped', 'that comes by a link is a martian')
hostOnly(
  4291,
  '2.7',
  'MUST NOT',
  'a group of interface scope leaves the host',
  'a group of interface scope ends at the host',
)
file('udp/routes.test.ts')(
  1122,
  '3.2.1.3',
  'MAY',
  'a host that has no address sends from 0.0.0.0',
  'a host without an address asks for one from 0.0.0.0',
)

const router = file('ip/forwarding.test.ts')
router(
  791,
  '3.1',
  'MUST',
  'only options with the copy bit go into later fragments',
  'copies options to later fragments by their copy bit',
)
router(1122, '3.2.1.3', 'MUST', 'a host silently discards what is for others', 'discards what is for others in silence')
router(
  1122,
  '3.3.4.2',
  'MAY',
  'the strong host model',
  'takes a packet for the address of another nic only in the weak host model',
)
router(
  1624,
  '3',
  'SHOULD',
  'the checksum is updated by equation 3',
  'passes a packet on with one hop less and a checksum that is right',
)
router(1812, '4.3.2.8', 'SHOULD', 'errors are limited in rate', 'are limited per destination')
router(1812, '5.2.6', 'MUST', 'IPv4 is fragmented when DF is clear', 'fragments IPv4 when DF is clear, fragments too')
router(
  1812,
  '5.2.7.1',
  'MUST',
  'unreachable destinations are reported',
  'says that there is no route, or that it is prohibited',
)
router(
  1812,
  '5.3.1',
  'MUST',
  'Time Exceeded when the hops are used up',
  'says Time Exceeded from the nic it came by when the hops are used up',
)
router(1812, '5.3.7', 'SHOULD NOT', 'martians are forwarded', 'does not forward %s')
router(3704, '2', 'SHOULD', 'sources are checked by the reverse path', 'checks the reverse path')
router(3927, '7', 'MUST NOT', 'IPv4 link-local addresses are forwarded', 'does not forward %s')
router(4007, '6', 'MUST', 'a link-local address belongs to its link', 'keeps link-local addresses to their links')
router(
  4007,
  '9',
  'MUST',
  'a link-local source going elsewhere draws Beyond Scope',
  'says Beyond Scope for a link-local source',
)
router(4443, '2.4 (f)', 'MUST', 'errors are limited in rate', 'are limited per destination')
router(
  4443,
  '3.2',
  'MUST',
  'Packet Too Big has the MTU of the next link',
  'says Fragmentation Needed and Packet Too Big with the MTU of the next link',
)
router(7126, '4.3', 'SHOULD', 'source routes can be allowed', 'refuses source routes unless told otherwise')
router(
  8200,
  '4.2',
  'MUST',
  'a router looks at hop-by-hop options',
  'answers for a bad hop-by-hop option on its way through',
)

const chain = file('tun/routers.test.ts')
chain(
  1191,
  '4',
  'MUST',
  'the MTU of a path is found by real tools',
  'the narrowest MTU is found by tracepath (RFC 1191 4)',
)
chain(1812, '5.3.1', 'MUST', 'every router on the way is seen by traceroute', 'by traceroute (RFC 1812 5.3.1)')
chain(8201, '4', 'MUST', 'the MTU of an IPv6 path is found by real tools', 'the narrowest MTU is found by tracepath -6')

const prober = file('ip/icmp/path-mtu-prober.test.ts')
prober(8899, '4.3', 'MUST', 'black holes are noticed', 'notices a black hole, and finds the smaller size')
prober(
  8899,
  '4.6.2',
  'MUST',
  'too-big reports are judged by what they claim',
  'is not raised by a report that promises too much',
)
prober(
  8899,
  '5.1.2',
  'SHOULD',
  'a size is given up after three probes',
  'counts a size as too long only after three unanswered probes',
)
prober(
  8899,
  '5.2',
  'MUST',
  'the error state falls back to the minimum',
  'falls to the minimum where the base size does not pass',
)
prober(
  8899,
  '5.3',
  'SHOULD',
  'the search finds the path MTU without ICMP',
  'finds %i exactly, with ICMP and without it',
)
prober(8899, '5.3.3', 'SHOULD', 'the size is raised again in time', 'recovers from a report that claims too little')

const identification = file('ip/fragments/identification.test.ts')
identification(
  6864,
  '4.3',
  'MUST',
  'identifications are unique for the lifetime of a datagram',
  'are unique per source, destination and protocol',
)
file('link/offload-property.test.ts')(
  6864,
  '4.3',
  'MUST',
  'datagrams that a device hands up as one frame have identifications of their own',
  'come apart behind headers of any length as Linux takes them apart',
)
identification(
  7739,
  '5',
  'SHOULD',
  'identifications cannot be guessed',
  'do not tell one destination what another gets',
)
identification(
  7739,
  '5.2',
  'MAY',
  'identifications of IPv6 are random',
  'of IPv6 are random, each by itself, and never 0',
)

const reassembly = file('ip/fragments/reassembler.test.ts')
reassembly(
  8200,
  '4.5',
  'MUST',
  'incomplete datagrams are forgotten after 60 seconds',
  'that never become whole are forgotten in time, the oldest first',
)

const kernelRoutes = file('differential/source-routes.test.ts')
kernelRoutes(
  791,
  '3.1',
  'MUST',
  'a host takes what came by a source route and ends there, as Linux does',
  'a host that follows source routes',
)
kernelRoutes(
  1812,
  '5.2.4.1',
  'MUST',
  'a router follows source routes, as Linux does',
  'a router that follows source routes',
)
kernelRoutes(
  1812,
  '5.2.7.1',
  'MUST',
  'a stop without a route is reported',
  'route to draws Network Unreachable, of which Linux says nothing',
)

const kernelMtu = file('differential/path-mtu.test.ts')
kernelMtu(1191, '3', 'MUST', 'nothing longer than the path MTU is sent with DF', 'send alike over a path of %i bytes')
kernelMtu(
  1191,
  '3',
  'MAY',
  'DF is cleared where the path is narrower than the least MTU',
  'as that policy lets them with DF clear',
)
kernelMtu(
  8200,
  '5',
  'MUST',
  'longer datagrams are fragmented to the path MTU by their source',
  'send alike over a path of %i bytes',
)
kernelMtu(8201, '4', 'MUST', 'every socket believes a report', 'do not believe a report of more than is known')

const timeouts = file('differential/timeouts.test.ts')
timeouts(
  1122,
  '3.3.2',
  'SHOULD',
  'Time Exceeded 1 when a reassembly times out with the first fragment there',
  'say Time Exceeded 1 about the first fragment',
)
timeouts(792, '', 'MUST NOT', 'Time Exceeded 1 without the first fragment', 'say nothing without the first fragment')
timeouts(
  8200,
  '4.5',
  'SHOULD',
  'Time Exceeded 1 when a reassembly times out with the first fragment there',
  'say ICMPv6 Time Exceeded 1 about the first fragment',
)

const arpRows = file('ip/nic/arp-layer.test.ts')
arpRows(
  826,
  '',
  'MUST',
  'an entry that exists is updated before the operation is looked at',
  'for others makes no entry, but updates one that is there, whatever the operation',
)
arpRows(
  826,
  '',
  'MUST',
  'a request for us makes an entry and is answered',
  'for our address is answered, and its sender is known then',
)
arpRows(1122, '2.3.2.1', 'MUST', 'ARP requests go out once a second at most', 'is asked for once a second, three times')
arpRows(
  1122,
  '2.3.2.2',
  'SHOULD',
  'packets are kept while the address is found out',
  'waits with up to a hundred others',
)
arpRows(
  1122,
  '3.2.2',
  'MUST NOT',
  'an ICMP error answers a link-layer broadcast',
  'draw no ICMP error (RFC 1122 section 3.2.2)',
)
arpRows(
  894,
  '',
  'MUST',
  'frames are padded to 46 bytes',
  'are padded to 46 bytes: the packet ends where its length says (RFC 894)',
)
arpRows(
  5227,
  '2.1.1',
  'MUST NOT',
  'a probe from 0.0.0.0 changes a cache',
  'answered, and teaches nothing (RFC 5227 section 2.1.1)',
)
arpRows(
  5227,
  '2.1',
  'MUST',
  'a new address is probed for, if asked for',
  'is probed for three times and announced twice',
)
arpRows(5227, '2.3', 'MUST', 'a new address is announced', 'is announced when it is added (RFC 5227 section 2.3)')
arpRows(5227, '2.4', 'MUST', 'an address is defended', 'is defended, once in ten seconds')
arpRows(
  4861,
  '7.3',
  'MUST',
  'a neighbor goes from reachable to stale, delay, probe',
  'is reachable for 15 to 45 seconds, then stale, and probed only',
)

const ethernetRows = file('wire/ethernet.test.ts')
ethernetRows(
  1112,
  '6.4',
  'MUST',
  'the hardware address holds 23 bits of an IPv4 group',
  'keep only 23 bits of an IPv4 group',
)
ethernetRows(2464, '7', 'MUST', 'IPv6 groups map to 33:33', 'the group address is the one its IP destination asks for')

const ndRows = file('ip/nd.test.ts')
ndRows(
  4861,
  '7.2.2',
  'MUST',
  'a neighbor is solicited three times, then unreachable',
  'is asked for three times, from the address it comes from, and then given up with address unreachable',
)
ndRows(
  4861,
  '7.2.4',
  'MUST',
  'a solicitation from :: is answered to all nodes',
  'somebody tries our address (RFC 4861 section 7.2.4)',
)
ndRows(4861, '7.2.5', 'MUST NOT', 'an unsolicited advertisement makes an entry', 'that nobody asked for makes no entry')
ndRows(
  4861,
  '7.2.5',
  'MUST',
  'the override flag decides about another address',
  'of another address with override replaces it',
)
ndRows(6980, '5', 'MUST', 'Neighbor Discovery in fragments is ignored', 'even an atomic one (RFC 6980)')
ndRows(
  4862,
  '5.4',
  'MUST',
  'addresses are checked for duplicates before use',
  'asks once within a second, and takes the address a second later',
)
ndRows(
  4862,
  '5.4',
  'MUST NOT',
  'a tentative address answers or sends',
  'answers nothing and sends nothing from the address meanwhile',
)
ndRows(4862, '5.3', 'MUST', 'a link-local address is made', 'makes a link-local address of the hardware address first')

const arpCodecRows = file('wire/arp.test.ts')
const ndpRows = file('wire/ndp.test.ts')
const igmpCodecRows = file('wire/igmp.test.ts')
const mldCodecRows = file('wire/mld.test.ts')
ndpRows(4861, '7.1', 'MUST', 'a hop limit below 255 is discarded', 'no truncation passes, nor a hop limit of 254')
ndpRows(
  4861,
  '4.6',
  'MUST',
  'an option of length 0 discards the message',
  'an option of length 0, or one that ends behind the message',
)
igmpCodecRows(9776, '4.1.1', 'MUST', 'response codes from 128 on are mantissa and exponent', '(RFC 9776 section 4.1.1)')
mldCodecRows(
  9777,
  '5.1.3',
  'MUST',
  'response codes from 32768 on are mantissa and exponent',
  '(RFC 9777 section 5.1.3)',
)
mldCodecRows(2711, '2.1', 'MUST', 'MLD carries Router Alert', 'nor a missing router alert')

const routeradvertisementsRows = file('ip/router-advertisements.test.ts')
routeradvertisementsRows(
  4861,
  '6.3.7',
  'SHOULD',
  'a host solicits routers three times, four seconds apart',
  'asks for routers as Linux does, three times',
)
routeradvertisementsRows(
  4861,
  '6.3.6',
  'MUST',
  'a default router that is unreachable gives way',
  'that does not answer gives way to another (RFC 4861 section 6.3.6)',
)
routeradvertisementsRows(
  4861,
  '6.2.6',
  'MUST',
  'a solicitation is answered within half a second, every three seconds at most',
  'answers a solicitation within half a second',
)
routeradvertisementsRows(
  4862,
  '5.5.3',
  'MUST',
  'the two-hour rule bounds a lifetime cut by an advertisement',
  '(RFC 4862 section 5.5.3 (e))',
)
routeradvertisementsRows(
  4862,
  '5.5.4',
  'SHOULD',
  'a deprecated address is no source for what is new',
  'is deprecated when its preferred lifetime ends',
)
routeradvertisementsRows(6724, '5', 'MUST', 'rule 3: a deprecated address is avoided', '(RFC 6724 rule 3)')

const groupsRows = file('ip/groups.test.ts')
groupsRows(
  9776,
  '5.1',
  'MUST',
  'changes are told at once and repeated (robustness)',
  'is told at once, and once more within a second (robustness 2)',
)
groupsRows(
  9776,
  '5.2',
  'MUST',
  'general queries are answered at a random time',
  'for all groups is answered once, at a random time within what it allows',
)
groupsRows(
  9776,
  '5.2',
  'MUST',
  'queries for sources are answered with those wanted',
  'for sources is answered with those that are wanted',
)
groupsRows(
  9776,
  '4',
  'MUST',
  'messages have TTL 1: others are no messages of this link',
  'from beyond the link (its TTL or hop limit is not 1)',
)
groupsRows(
  9776,
  '4.1.12',
  'MUST',
  'a query to an address of the nic is processed',
  'while one to this host alone, by its link, is answered',
)
groupsRows(
  9776,
  '9.1',
  'SHOULD',
  'general queries to other groups than 224.0.0.1 are ignored',
  'about all groups to one group',
)
groupsRows(
  9776,
  '9.1',
  'MAY',
  'a limited number of sources is recorded',
  'leave nothing behind but what the host wants of them (Linux: igmp_marksources, mld_marksources)',
)
groupsRows(9776, '7.2', 'MUST', 'older queriers are spoken to in their version', 'is spoken to in its language')
groupsRows(9776, '8.12', 'MUST', 'an older querier is forgotten in time', '(RFC 9776 section 8.12)')
groupsRows(9777, '6.1', 'MUST', 'MLDv2 reports name the groups joined', 'MLDv2: a group joined')
groupsRows(
  2236,
  '3',
  'MUST',
  'another host’s report makes ours unneeded, and leaves only the last reporter’s',
  'needs no second report when another host has spoken',
)
groupsRows(2710, '4', 'MUST', 'MLDv1 reports and done messages', 'MLDv1: a report and a done')
groupsRows(3590, '4', 'MUST', 'without a link-local address MLD comes from ::', 'from nobody (RFC 3590)')
groupsRows(3678, '4.1.3', 'MUST', 'INCLUDE and EXCLUDE do not mix on one socket', '(RFC 3678 section 4.1.3)')
groupsRows(
  1112,
  '6.4',
  'MUST',
  'the IP address decides, not the hardware address',
  'only the IP address decides (RFC 1112 section 6.4)',
)

const udplayerRows = file('udp/udp-layer.test.ts')
udplayerRows(6437, '3', 'SHOULD', 'one flow has one label, not 0', '(RFC 6437 section 3)')
udplayerRows(
  768,
  '',
  'MUST',
  'a computed checksum of zero goes out as all ones',
  'writes a computed checksum of 0 as 0xffff',
)
udplayerRows(
  8200,
  '8.1',
  'MUST',
  'a computed checksum of zero goes out as all ones',
  'writes a computed checksum of 0 as 0xffff',
)
udplayerRows(
  6864,
  '4.1',
  'MAY',
  'a datagram with DF needs no identification',
  'makes the packet that the obvious code makes',
)
udplayerRows(
  919,
  '7',
  'SHOULD',
  'broadcasting takes a permission (SO_BROADCAST)',
  'needs the permission, leaves, and comes back to this host',
)
udplayerRows(
  1112,
  '6.1',
  'MUST',
  'multicast leaves with TTL 1 unless told otherwise',
  'leaves with hop limit 1, comes back only to a member',
)
udplayerRows(
  1112,
  '6.1',
  'SHOULD',
  'a copy goes to the members on this host',
  'leaves with hop limit 1, comes back only to a member',
)
udplayerRows(
  1112,
  '7.1',
  'MUST',
  'a group is heard by its members',
  'from the wire reaches every member, until it leaves',
)
udplayerRows(
  3542,
  '6',
  'MUST',
  'source, hop limit and traffic class go with a datagram',
  'takes the settings of one datagram before those of the socket',
)
udplayerRows(
  3542,
  '11.2',
  'MUST',
  'with DONTFRAG what is too long is EMSGSIZE',
  'is EMSGSIZE above the path MTU, with "dont" and "want" it is fragments',
)
udplayerRows(
  8085,
  '3.2',
  'SHOULD',
  'a program can forbid fragments and hear of it',
  'is EMSGSIZE above the path MTU, with "dont" and "want" it is fragments',
)
udplayerRows(
  8900,
  '6.1',
  'SHOULD',
  'a program need not rely on fragments',
  'is EMSGSIZE above the path MTU, with "dont" and "want" it is fragments',
)
udplayerRows(8900, '6.4', 'MUST', 'fragments are put together even so', 'in fragments gives a peer the datagram')
udplayerRows(4007, '11.2', 'MUST', 'a link-local address needs its zone', 'wants a zone for a link-local address')

const checksumRows = file('base/checksum.test.ts')
checksumRows(
  1071,
  '1',
  'MUST',
  'an odd last byte is padded with zeros',
  'takes an odd last byte as the high byte of a pair',
)
checksumRows(1071, '3', 'MUST', 'the example comes out', 'of the example in RFC 1071 section 3')
checksumRows(
  1624,
  '3',
  'MUST',
  'an update never makes what computing anew does not',
  'is the checksum computed anew, whichever word changes',
)
checksumRows(1624, '4', 'MUST', 'the example comes out, where RFC 1141 is wrong', 'gives the example of section 4')

const addressRows = file('base/address.test.ts')
addressRows(4291, '2.2', 'MUST', 'every text form of an address is read', 'reads every legal form of IPv6 text')
addressRows(
  5952,
  '4',
  'MUST',
  'addresses are written in the one form',
  'is written as RFC 5952 asks, by the examples of its section 4',
)
addressRows(3021, '2.1', 'MUST NOT', 'a /31 has a broadcast address', 'has a broadcast address in IPv4 up to /30')

const forwarderRows = file('ip/forwarder.test.ts')
forwarderRows(
  1812,
  '5.3.4',
  'MUST NOT',
  'a packet that came by a link-layer broadcast is forwarded',
  'a frame that everyone on the link got: IpLinkBroadcast',
)
forwarderRows(
  4443,
  '2.4 (e.6)',
  'MUST NOT',
  'an error goes to an address that may be many nodes’',
  'no ICMPv6 error goes to an address that many hosts share',
)
forwarderRows(
  8200,
  '3',
  'MUST NOT',
  'a router changes anything but the hop limit',
  'passes IPv%i on with one hop less, and changes nothing else',
)
forwarderRows(8200, '5', 'MUST NOT', 'a router fragments IPv6', 'is dropped as %s and answered as Linux did')
router(
  919,
  '7',
  'MUST NOT',
  'a limited broadcast is forwarded',
  'a broadcast to %s, %s, for itself and passes it on to nobody',
)
router(
  922,
  '7',
  'MUST',
  'broadcasts to the networks of its links are for a router too',
  'a broadcast to %s, %s, for itself and passes it on to nobody',
)
router(
  2474,
  '3',
  'MUST',
  'the DS field is kept, and ECN apart from it',
  'keeps DSCP, ECN and flow label of what it passes on',
)
router(6437, '3', 'MUST NOT', 'a router changes a flow label', 'keeps DSCP, ECN and flow label of what it passes on')
router(6890, '2.2.2', 'MUST NOT', 'loopback, reserved and 0.0.0.0/8 addresses are forwarded', 'does not forward %s')
router(2827, '4', 'SHOULD', 'sources that cannot be true are discarded, if asked for', 'checks the reverse path')
router(
  2113,
  '2.1',
  'MUST',
  'a router examines packets with Router Alert 0',
  'lends what has a Router Alert to whoever asked for it',
)
router(
  2711,
  '2.1',
  'MUST',
  'a router examines packets with Router Alert',
  'lends what has a Router Alert to whoever asked for it',
)
router(3021, '2.1', 'MUST', 'both addresses of a /31 are hosts’', 'has no network and no broadcast address')
router(3021, '2.2', 'MUST', 'broadcasts on a /31 go to 255.255.255.255', 'takes the limited broadcast')

const sourceRouteRows = file('ip/source-routes.test.ts')
sourceRouteRows(
  791,
  '3.1',
  'MUST',
  'a source route is followed: the next stop is the destination',
  'the first hop is the destination in the header',
)
sourceRouteRows(
  791,
  '3.1',
  'MUST',
  'a strict route has no stops but its own',
  'about a strict one of which it is no stop',
)
sourceRouteRows(
  791,
  '3.1',
  'MUST',
  'a source route goes into all fragments',
  'goes into every fragment, which the copy bit asks for',
)
sourceRouteRows(
  1122,
  '3.2.1.8',
  'MUST',
  'a host can send source routes',
  'the first hop is the destination in the header',
)
sourceRouteRows(
  1122,
  '3.2.1.8',
  'MUST',
  'what has come to the end of its route is delivered',
  'a datagram finds its way by a source route',
)
sourceRouteRows(
  1122,
  '3.2.1.8',
  'MUST',
  'a return route is right even if the source was recorded',
  'without the source, where it was recorded as the first',
)
sourceRouteRows(
  1122,
  '3.2.2.6',
  'MUST',
  'the source route of an echo request is reversed for the reply',
  'by the stops that the request came by, backwards',
)
sourceRouteRows(
  1122,
  '3.3.5',
  'MUST NOT',
  'a host forwards by source routes',
  'takes what ends there and passes nothing on',
)
sourceRouteRows(1812, '5.2.4.1', 'MUST NOT', 'a packet has two source routes', 'that is the second one')
sourceRouteRows(
  1812,
  '5.2.7.1',
  'MUST',
  'Source Route Failed where the next stop of a strict one is no neighbor',
  'says Source Route Failed when the next stop',
)

const redirectRows = file('ip/routing/redirects.test.ts')
redirectRows(1122, '3.2.2.2', 'MUST', 'a redirect changes the route to its host', 'is followed, for that one host')
redirectRows(
  1122,
  '3.2.2.2',
  'SHOULD',
  'one not from the present first hop, or off the link, is discarded',
  'is discarded',
)
redirectRows(
  1122,
  '3.3.1.4',
  'MUST',
  'a gateway that does not answer gives way',
  'to the old one again when that does not answer',
)
redirectRows(1812, '5.2.7.2', 'MAY', 'a router ignores redirects', 'is not for a stack with %o')
redirectRows(4861, '8.1', 'MUST', 'a redirect that fails its checks is discarded', 'is discarded')
redirectRows(4861, '8.3', 'SHOULD', 'a redirect changes the route to its destination', 'is followed, for that one host')
redirectRows(
  4861,
  '8.3',
  'MUST',
  'its target is a neighbor, a router or the destination itself',
  'makes the target a neighbor at once',
)
redirectRows(4861, '8.3', 'MUST NOT', 'a router heeds redirects', 'is not for a stack with %o')

const kernelRedirects = file('tun/redirects.test.ts')
kernelRedirects(
  1122,
  '3.2.2.2',
  'MUST',
  'redirects of a Linux router are followed',
  'is followed: the next datagrams go to %s',
)
kernelRedirects(
  4861,
  '8.3',
  'SHOULD',
  'redirects of a Linux router are followed',
  'is followed: the next datagrams go to %s',
)
kernelRedirects(4861, '8.2', 'SHOULD', 'Linux follows the redirects that are sent', 'is followed by the kernel')
kernelRedirects(1812, '5.2.7.2', 'MUST', 'Linux follows the redirects that are sent', 'is followed by the kernel')

const redirectorRows = file('ip/routing/redirector.test.ts')
redirectorRows(
  1812,
  '5.2.7.2',
  'MUST',
  'a router can send Redirects, for one host (code 1)',
  'names the better gateway for one host',
)
redirectorRows(
  1812,
  '5.2.7.2',
  'MUST NOT',
  'one is sent when the nic is another one, the source is not of the next hop’s network, or there is a source route',
  'is none %s (IPv%i)',
)
redirectorRows(1812, '4.3.2.8', 'SHOULD', 'redirects are limited in number', 'over IPv4 backs off, stops after nine')
redirectorRows(
  792,
  '',
  'MUST',
  'a redirected packet goes on its way',
  'names the better gateway for one host and quotes what went on',
)
redirectorRows(
  4861,
  '8.2',
  'SHOULD',
  'a router redirects a neighbor to a better first hop',
  'has target, destination, the target’s hardware',
)
redirectorRows(
  4861,
  '8.2',
  'SHOULD',
  'a router redirects to a destination on the link',
  'names the destination itself when that is on the link',
)
redirectorRows(4861, '8.2', 'MUST', 'a router as target is named by its link-local address', 'is none %s (IPv%i)')
redirectorRows(
  4861,
  '8.2',
  'MUST',
  'redirects are limited in rate',
  'over IPv6 is limited by source and by destination',
)
redirectorRows(
  4861,
  '4.5',
  'MUST',
  'a redirect comes from a link-local address, with hop limit 255',
  'has target, destination, the target’s hardware',
)
redirectorRows(
  4861,
  '4.6.3',
  'MUST',
  'a redirect is not longer than the minimum MTU',
  'is never longer than 1280 bytes',
)

const extensionRows = file('wire/icmp-extensions.test.ts')
extensionRows(
  4884,
  '4.1',
  'MUST',
  'the length attribute counts 4 bytes in ICMPv4, 8 in ICMPv6',
  'behind a quote that is padded to 128 bytes come with the error',
)
extensionRows(
  4884,
  '4.1',
  'MUST',
  'a quote in front of extensions has 128 bytes at least',
  'are none, and the error counts even so',
)
extensionRows(
  4884,
  '5',
  'MUST',
  'wrong extensions do not take the error with them',
  'are none, and the error counts even so',
)
extensionRows(4884, '7', 'MUST', 'version and checksum are checked', 'are none, and the error counts even so')
extensionRows(
  4884,
  '4.6',
  'MUST NOT',
  'Packet Too Big has a length attribute',
  'are not looked for in a too-big report',
)

const endpointRows = file('udp/endpoint-options.test.ts')
endpointRows(
  5082,
  '3',
  'SHOULD',
  'what did not come from a neighbor is discarded by its received hop limit',
  'wants the hop limit that was received to be 255',
)
endpointRows(5082, '3', 'MUST', 'the sender sets 255', 'is heard by such a one when it sends with 255')
endpointRows(
  6935,
  '5',
  'MUST',
  'no checksum over IPv6 only where a socket asked for it',
  'takes datagrams without a checksum when it was told to, and only then',
)
endpointRows(
  6936,
  '4',
  'MUST',
  'receiving without checksums is for configured ports',
  'takes datagrams without a checksum when it was told to, and only then',
)
endpointRows(
  6936,
  '4',
  'MUST',
  'a tunnel checks the addresses of what it takes',
  'that is connected takes them from its peer alone',
)
endpointRows(
  6936,
  '5',
  'MUST',
  'a checksum is sent unless a socket is told otherwise',
  'sends them when it was told to, over IPv6 alone',
)

const selectionRows = file('ip/routing/source-selection.test.ts')
selectionRows(
  6724,
  '4',
  'MUST',
  'link-local candidates are those of the outgoing link',
  'is never a link-local one of another nic',
)
selectionRows(6724, '5', 'MUST', 'rule 1: the destination itself', 'rule 1: is the destination itself')
selectionRows(6724, '5', 'MUST', 'rule 2: the appropriate scope', 'rule 2: has the smallest scope that is large enough')
selectionRows(6724, '5', 'MUST', 'rules in their order: 3 before 5', 'rule 3 goes before rule 5')
selectionRows(6724, '5', 'MUST', 'rule 5: the outgoing interface', 'rule 5: is one of the outgoing nic')
selectionRows(6724, '5', 'MUST', 'rule 6: the label of the destination', 'rule 6: is of the kind of the destination')
selectionRows(6724, '5', 'MUST', 'rule 8: the longest common prefix, of the prefix alone', 'rule 8')
notApplicable(6724, '5', 'SHOULD', 'rule 4: home addresses', 'this host has none (RFC 6275)')
const slaacRows = file('ip/nd/slaac.test.ts')
slaacRows(
  6724,
  '5',
  'SHOULD',
  'rule 7: temporary addresses',
  'stand beside the stable one, and are preferred as sources (RFC 6724 rule 7)',
)
slaacRows(
  7217,
  '5',
  'MUST',
  'an identifier of prefix, interface, counter and secret',
  'makes the link-local address and those of prefixes of the secret',
)
slaacRows(
  7217,
  '6',
  'SHOULD',
  'another identifier after a conflict, a limited number of times',
  'tries three others when another station has the address',
)
slaacRows(
  5453,
  '3',
  'MUST NOT',
  'a reserved interface identifier is used',
  'no identifier is a reserved one (RFC 5453)',
)
slaacRows(
  8981,
  '3.4',
  'MUST',
  'temporary addresses are deprecated, replaced and removed in time',
  'are preferred for a day at most, replaced 5 seconds before',
)
slaacRows(
  8981,
  '3.4',
  'MUST',
  'another one after a conflict, three times at most',
  'are drawn anew, three times at most, when another station has them',
)
notApplicable(
  6724,
  '5',
  'SHOULD',
  'rule 5.5: the prefix that the first hop advertised',
  'asked of hosts that track it, which Linux does not either',
)
notApplicable(
  6724,
  '6',
  'MUST',
  'destinations are sorted',
  'asked of the resolver: the lookup that a program gives, or its own',
)

const pathMtuRows = file('ip/routing/path-mtu.test.ts')
pathMtuRows(
  1191,
  '6.3',
  'MUST NOT',
  'a larger MTU is tried within 5 minutes (10 recommended)',
  'is what was reported, for ten minutes',
)
pathMtuRows(
  1191,
  '7.1',
  'SHOULD',
  'an MTU of 0 takes the next plateau',
  'of an old router that says 0 about %i bytes is the next plateau',
)
pathMtuRows(
  8201,
  '4',
  'MUST NOT',
  'a report raises the path MTU',
  'only falls: a report that is not below what is known is ignored',
)
pathMtuRows(8201, '4', 'MUST NOT', 'a larger MTU is tried within 5 minutes', 'is what was reported, for ten minutes')
pathMtuRows(8021, '3', 'MUST NOT', 'a report below 1280 makes atomic fragments', 'below 1280 is not believed in IPv6')

const answerRows = file('ip/answers.test.ts')
answerRows(
  1191,
  '7.1',
  'SHOULD',
  'an MTU of 0 makes what is sent next fit',
  'that says an MTU of 0, as routers before RFC 1191 did',
)
answerRows(
  792,
  '',
  'MUST',
  'an error quotes the header and 8 bytes or more',
  'an ICMP error of Linux is this stack’s too, quote and all',
)
answerRows(
  8201,
  '4',
  'SHOULD',
  'a report is about a packet of this host',
  'of a datagram that nobody sent changes no path MTU',
)
answerRows(
  4443,
  '2.2',
  'MUST',
  'an answer to a group comes from a unicast address',
  'an unknown destination option to a group, but for the one that asks for it even so',
)
answerRows(8085, '3.6', 'SHOULD', 'errors reach the program, validated', 'reaches the socket that sent it')

const fragmenterRows = file('ip/fragments/fragmenter.test.ts')
fragmenterRows(
  791,
  '3.2',
  'MUST',
  'all fragments but the last are multiples of 8',
  'are as long as the MTU allows, in multiples of 8',
)
fragmenterRows(
  8200,
  '4.5',
  'MUST',
  'all fragments but the last are multiples of 8',
  'are as long as the MTU allows, in multiples of 8, behind a fragment header',
)

kernel(815, '3', 'MUST NOT', 'a late last fragment changes the length', 'a second, shorter last fragment')
kernel(919, '7', 'MUST', 'the broadcast addresses are heard', 'a datagram to ')
kernel(4291, '2.5.2', 'MUST NOT', '`::` is a destination', 'an IPv6 datagram to ')
kernel(4291, '2.7', 'MUST', 'the scope of a group counts', 'an IPv6 datagram to ')
kernel(5722, '4', 'MAY', 'an exact duplicate goes alone', 'duplicates of every IPv6 fragment')
kernel(6864, '4.1', 'MUST NOT', 'a receiver minds DF in fragments', 'DF in fragments does not matter')
kernel(
  8021,
  '3',
  'MUST NOT',
  'a small Packet Too Big makes atomic fragments',
  'Packet Too Big sets the path MTU, below 1280 it is ignored',
)
kernel(
  9868,
  '7',
  'MUST',
  'a datagram is delivered whatever its surplus area holds',
  'a UDP length below the IP payload trims the datagram',
)
arpRows(
  4861,
  '7.2.2',
  'SHOULD',
  'of packets that wait too many, the oldest goes',
  'waits with up to a hundred others; the oldest goes first',
)
arpRows(
  1122,
  '2.3.2.1',
  'MUST',
  'an entry that is out of date is flushed',
  'is lost after three probes, and asked for anew by the next packet',
)
arpCodecRows(
  826,
  '',
  'MUST',
  'hardware and protocol types and sizes are checked',
  'no truncation and no other type, size or operation passes',
)
mldCodecRows(2113, '2.1', 'MUST', 'MLD without its alert is discarded', 'nor a missing router alert')
groupsRows(
  4291,
  '2.7.1',
  'MUST',
  'the solicited-node group has the low 24 bits',
  'a group of two addresses with the same last 24 bits is left with the second',
)
groupsRows(2236, '3', 'MUST', 'reports and leaves have TTL 1 and Router Alert', 'IGMPv2: a report and a leave')
groupsRows(
  9776,
  '4',
  'MUST',
  'reports go to 224.0.0.22 with TTL 1 and Router Alert',
  'IGMPv3: a source allowed and a group joined; both left',
)
groupsRows(9777, '5.2.14', 'MUST', 'reports go to ff02::16', 'MLDv2: a group joined')
groupsRows(4607, '4.2', 'MUST', 'a channel is one source of a group', 'comes from the sources asked for')
notApplicable(
  4607,
  '4.1',
  'SHOULD',
  'a join without sources to 232/8 or ff3x::/32 is an error',
  'asked of hosts that know the range (RFC 4604 2.1); like Linux, this one takes what programs ask for',
)
routeradvertisementsRows(
  4862,
  '5.5.3',
  'MUST',
  'a prefix whose length and an interface identifier are not 128 bits is ignored',
  'makes no address: %s',
)
routeradvertisementsRows(4861, '6.3.4', 'MUST', 'hop limit, timers and MTU are taken over', 'what else routers say')
reassembly(
  5722,
  '4',
  'MUST',
  'an overlap anywhere kills the datagram',
  'are put together as the slow twin does, whatever comes: any order, duplicates, overlaps',
)
reassembly(8200, '4.5', 'MUST', 'fragments come in any order', 'make the datagram in any order')
reassembly(
  4459,
  '3',
  'SHOULD',
  'memory for fragments is bounded, and floods keep nobody out',
  'a flood of first fragments does not keep an honest datagram',
)

const portRows = file('udp/port-table.test.ts')
portRows(6056, '3.1', 'SHOULD', 'ephemeral ports cannot be guessed', 'is random, of Linux’s range, and nobody else’s')
portRows(
  6056,
  '3.3.2',
  'MAY',
  'taken ranges draw no ports behind them',
  'is as likely behind a taken range as anywhere else',
)

const dropsRows = file('drops.test.ts')
dropsRows(
  1122,
  '3.3.2',
  'SHOULD',
  'the reassembly timeout is fixed (60 to 120 s; 30 s for IPv4, as in Linux)',
  'FragmentTimeout: 30 s in IPv4, 60 s in IPv6',
)

const optionRows = file('socket-api/dgram/options.test.ts')
optionRows(
  1122,
  '4.1.3.5',
  'MUST',
  'a program learns the address that a datagram was sent to',
  'TTL and TOS of %s are on the wire',
)
optionRows(1122, '4.1.4', 'MUST', 'a program can set TTL and TOS', 'TTL and TOS of %s are on the wire')
optionRows(
  1122,
  '4.1.4',
  'MUST',
  'a program can set IP options',
  'IP options are in the header of every fragment or of the first',
)
optionRows(2474, '3', 'MUST NOT', 'setting the DSCP touches the ECN bits', 'DSCP and ECN are the parts of TOS')
optionRows(3168, '6', 'SHOULD', 'a program sets and sees ECN', 'TTL and TOS of %s are on the wire')
optionRows(
  8085,
  '3.1.7',
  'SHOULD',
  'a program sees congestion signals (ECN) with each datagram',
  'TTL and TOS of %s are on the wire',
)
optionRows(8085, '3.2', 'SHOULD', 'a program learns the path MTU', 'the MTU of a path')
optionRows(3542, '11.4', 'MUST', 'IPV6_PATHMTU tells the size', 'the MTU of a path')

const rawRows = file('raw/raw-endpoint.test.ts')
rawRows(
  3542,
  '3.1',
  'MUST',
  'with IPV6_CHECKSUM a raw socket has its checksum written and verified',
  'writes and verifies the checksum of an upper layer over IPv6',
)
rawRows(
  3542,
  '3',
  'MUST',
  'what a raw socket gets and sends begins behind the IP header',
  'takes what nobody else speaks, which is then not answered',
)

const contractReceive = file('contract/receive.ts')
contractReceive(3493, '5.3', 'MUST', 'IPV6_V6ONLY keeps IPv4 out', 'IPv4 does not reach a socket that is ipv6Only')
contractReceive(
  1122,
  '4.1.3.5',
  'SHOULD',
  'an answer comes from the address that was asked',
  'a socket bound to any answers from the address it was asked at',
)
const peerRows = file('socket-api/dgram/scoped-address.test.ts')
peerRows(
  4007,
  '6',
  'MUST',
  'the zone is a part of a link-local peer’s address',
  'a link-local sender is shown with the zone of the interface, and can be answered',
)

const natRows = file('network/nat/nat.test.ts')
natRows(4787, '4.1 REQ-1', 'MUST', 'mappings are endpoint-independent', 'endpoint-independent: one for all')
natRows(
  4787,
  '4.2.1 REQ-3',
  'MUST NOT',
  'two endpoints share an outside port',
  'shares no port: the second host with the same one gets another of the same parity',
)
natRows(
  4787,
  '4.2.2 REQ-4',
  'SHOULD',
  'the parity of ports is kept',
  'shares no port: the second host with the same one gets another of the same parity',
)
natRows(
  4787,
  '4.3 REQ-5',
  'MUST NOT',
  'a mapping ends within 2 minutes',
  'gives what leaves the outside address, and answers their way back',
)
natRows(
  4787,
  '4.3 REQ-5 c',
  'SHOULD',
  'by default a mapping lasts 5 minutes or more',
  'gives what leaves the outside address, and answers their way back',
)
natRows(
  4787,
  '4.3 REQ-6',
  'MUST',
  'what leaves prolongs a mapping',
  'is set back by what leaves but not by what comes in',
)
natRows(
  4787,
  '5 REQ-8',
  'SHOULD',
  'filtering is endpoint-independent or address-dependent, as one likes',
  'the filtering (RFC 4787 section 5)',
)
natRows(
  4787,
  '6 REQ-9 a',
  'MUST',
  'hairpinning, with the outside source address and port',
  'two inside hosts reach each other by their outside addresses, and see those',
)
natRows(4787, '9 REQ-12', 'MUST NOT', 'an ICMP error ends a mapping', 'an error neither prolongs a mapping nor ends it')
natRows(
  4787,
  '9 REQ-12 b',
  'SHOULD',
  'Destination Unreachable messages pass',
  'an error about a packet from inside reaches its socket, checksums and all',
)
natRows(
  4787,
  '10 REQ-13',
  'MUST',
  'what is too long and has DF draws Fragmentation Needed',
  'path MTU discovery from inside works over it',
)
natRows(4787, '11 REQ-14', 'MUST', 'fragments pass in any order', 'get through in any order')
natRows(
  5508,
  '3.1 REQ-1',
  'MUST',
  'echo requests of inside hosts and their replies pass',
  'echo requests have mappings of their own, by identifier',
)
natRows(
  5508,
  '3.2 REQ-2',
  'MUST NOT',
  'an echo mapping ends within a minute',
  'echo requests have mappings of their own, by identifier',
)
natRows(
  5508,
  '4.2.1 REQ-4',
  'MUST',
  'the quoted packet and its checksums are translated, both ways',
  'an error about a packet from inside reaches its socket, checksums and all',
)
natRows(
  5508,
  '4.2.2 REQ-5',
  'MUST',
  'an error from inside shows outside addresses',
  'an error about a packet from outside tells the sender its own addresses',
)
natRows(
  5508,
  '5 REQ-7',
  'MUST',
  'errors about hairpin packets turn back',
  'an error about a hairpin packet shows its sender nothing but outside addresses',
)
natRows(
  5508,
  '4.3 REQ-6',
  'MUST NOT',
  'an error refreshes or ends a mapping',
  'an error neither prolongs a mapping nor ends it',
)
const natTcpRows = file('network/nat/nat-tcp.test.ts')
natTcpRows(
  5382,
  '4.1 REQ-1',
  'MUST',
  'mappings of TCP are endpoint-independent',
  'of TCP are endpoint-independent: one for all',
)
natTcpRows(
  5382,
  '4.2 REQ-2',
  'MUST',
  'every valid sequence of segments passes, from both sides',
  'a handshake from outside, to a mapping whose filter lets it in',
)
natTcpRows(
  5382,
  '4.2 REQ-2',
  'MUST',
  'the three-way handshake passes',
  'a three-way handshake from inside, data, and a close, over %s',
)
natTcpRows(
  5382,
  '4.2 REQ-2 a',
  'MUST',
  'a simultaneous open passes',
  'a simultaneous open: SYNs cross, and both are answered',
)
natTcpRows(
  5382,
  '4.3 REQ-3',
  'SHOULD',
  'filtering is endpoint-independent or address-dependent, as one likes',
  'of TCP is endpoint-independent, when that is wanted',
)
natTcpRows(
  5382,
  '4.3 REQ-4',
  'MUST NOT',
  'an unsolicited SYN is answered within six seconds',
  '%s is answered with Port Unreachable after six seconds',
)
natTcpRows(
  5382,
  '4.3 REQ-4',
  'MUST',
  'it is forgotten in silence when the inside sends the SYN of the same connection',
  'is forgotten in silence when the inside opens the same connection meanwhile',
)
natTcpRows(
  5382,
  '4.3 REQ-4',
  'SHOULD',
  'else Port Unreachable is sent',
  '%s is answered with Port Unreachable after six seconds',
)
natTcpRows(
  5382,
  '4.3 REQ-4 a',
  'MUST',
  'nothing is sent where a policy forbids it',
  'draws no error when the policy forbids it',
)
natTcpRows(
  5382,
  '5 REQ-5',
  'MUST NOT',
  'an established connection is given up within 2 hours 4 minutes of silence',
  'an established connection may be silent for 2 hours and 4 minutes',
)
natTcpRows(
  5382,
  '5 REQ-5',
  'MUST NOT',
  'one that opens or closes is given up within 4 minutes',
  'one that opens, closes or was reset may be for 4 minutes',
)
natTcpRows(5382, '5 REQ-5 a', 'MAY', 'the timers can be set', 'each of the three can be set')
natTcpRows(5382, '6 REQ-6', 'SHOULD', 'application-level gateways are off', 'no payload is looked into')
natTcpRows(
  5382,
  '7.1 REQ-7',
  'MUST NOT',
  'two endpoints share an outside port',
  'of TCP share no port, and keep theirs where it is free',
)
natTcpRows(
  5382,
  '7.2 REQ-8',
  'MUST',
  'hairpinning, with the outside source',
  'two inside hosts connect by their outside addresses, and see those',
)
natTcpRows(
  5382,
  '7.3 REQ-9',
  'SHOULD',
  'Destination Unreachable about TCP is translated',
  'come to the inside host with its own addresses in the %i bytes that they quote',
)
natTcpRows(
  5382,
  '7.3 REQ-10',
  'MUST NOT',
  'an ICMP message ends a mapping or a connection',
  'end no mapping and prolong none',
)
natTcpRows(
  7857,
  '2.1',
  'SHOULD',
  'opening and closing connections have timers of their own',
  'each of the three can be set',
)
natTcpRows(7857, '2.2', 'MUST', 'a RST is translated', 'a refusal comes back as it is')
natTcpRows(
  7857,
  '2.2',
  'SHOULD',
  'after a RST the mapping holds for 4 minutes',
  'after a RST the mapping holds for 4 minutes, and what follows shows that it was forged',
)
natTcpRows(
  7857,
  '7.1',
  'SHOULD NOT',
  'RSTs from inside that answer what comes in refresh a mapping',
  'RSTs from inside that refuse SYNs from outside hold no mapping open',
)
const natSessionRows = file('network/nat/tcp-session.test.ts')
natSessionRows(7857, '2', 'SHOULD', 'connections are tracked with the states of RFC 6146', 'the handshake from inside')
natRows(
  1624,
  '3',
  'MUST',
  'translated checksums are right',
  'translated checksums are those of the packet computed anew',
)

prober(8899, '6.2.1', 'MAY', 'echo requests are probes', 'finds the MTU of a path by echo requests')
prober(8899, '3', 'MUST NOT', 'probes carry what a program sends', 'finds the MTU of a path by echo requests')
kernel(8504, '5.2', 'MUST', 'fragments and extension headers of RFC 8200 are taken', 'extension headers in any order')
ndRows(
  8504,
  '5.4',
  'MUST',
  'Neighbor Discovery',
  'makes the solicitation that Linux makes, and waits for the advertisement',
)
routeradvertisementsRows(
  8504,
  '6.3',
  'MUST',
  'addresses by SLAAC',
  'configures every host of its link, which reach each other and the world through it',
)
groupsRows(8504, '5.11', 'MUST', 'MLDv2', 'MLDv2: a group joined')
chain(8504, '5.7', 'SHOULD', 'path MTU discovery', 'the narrowest MTU is found by tracepath -6')

const udpOptionRows = file('wire/udp-options.test.ts')
udpOptionRows(
  9868,
  '8',
  'MUST',
  'options begin behind the user data, at an even offset',
  'bytes of user data are read as the obvious code writes them',
)
udpOptionRows(9868, '8', 'MUST', 'padding in front of the checksum is zero', 'behind padding that is not 0 are none')
udpOptionRows(
  9868,
  '9',
  'MUST',
  'the option checksum covers the area and its length',
  'are sent so, and the checksum of the datagram does not count them',
)
udpOptionRows(
  9868,
  '9',
  'MUST',
  'with a wrong checksum there are no options, but user data',
  'are none, and the user data is delivered',
)
udpOptionRows(
  9868,
  '9',
  'MAY',
  'without a UDP checksum the one of the options may be zero',
  'a datagram without a checksum may leave out that of its options, too',
)
udpOptionRows(
  9868,
  '10',
  'MUST',
  'an unknown option that is not safe to ignore ends the options',
  'end in front of one that is not safe to ignore',
)
udpOptionRows(
  9868,
  '10',
  'MUST',
  'a length of 255 is followed by 16 bits',
  'of more than 252 bytes have the extended length',
)
udpOptionRows(9868, '11.3', 'MUST', 'the additional checksum is CRC-32C', 'the additional checksum is CRC-32C')
udpOptionRows(
  9869,
  '3',
  'MUST',
  'probes have a request with a token, answers a response',
  'a prober finds the MTU of a path over IPv%i by requests and responses alone',
)
udpOptionRows(
  9869,
  '3.3',
  'SHOULD NOT',
  'a request is answered unless a program wants that',
  'a prober finds the MTU of a path over IPv%i by requests and responses alone',
)
notApplicable(
  9868,
  '11.4',
  'MUST',
  'fragments of UDP',
  'asked of hosts with options; this stack leaves them to programs, and is a legacy receiver itself ' +
    '(section 7), as Linux is',
)
notApplicable(6040, '4', 'MUST', 'tunnels combine ECN', 'there are no tunnels in this stack')
notApplicable(
  3828,
  '3.1',
  'MUST',
  'a checksum coverage of 1 to 7 is refused',
  'there is no UDP-Lite: protocol 136 is as unknown as TCP',
)
notApplicable(
  8335,
  '',
  'MAY',
  'extended echo',
  'off in Linux too unless switched on; a request is as silent as any unknown type',
)
slaacRows(
  8504,
  '6.4',
  'SHOULD',
  'temporary addresses (RFC 8981)',
  'stand beside the stable one, and are preferred as sources',
)
notApplicable(8504, '6.5', 'SHOULD', 'DHCPv6', 'a protocol of programs, over UDP')
notApplicable(
  8504,
  '13',
  'MUST',
  'IPsec, where security asks for it',
  'there is no IPsec in this stack: AH and ESP are as unknown as TCP',
)

const anycastRows = file('ip/anycast.test.ts')
anycastRows(
  4291,
  '2.6.1',
  'MUST',
  'a router has the anycast address of each subnet it has an interface on',
  'takes what is for the first address of its prefix, and answers from its own',
)
file('tun/anycast.test.ts')(
  4291,
  '2.6.1',
  'MUST',
  'packets to it are delivered to one router of the subnet',
  'finds and pings the anycast address of its prefix %s, and hears the router itself',
)
anycastRows(
  4443,
  '2.2 (b)',
  'MUST',
  'an answer to an echo request to an anycast address comes from a unicast one',
  'takes what is for the first address of its prefix, and answers from its own',
)
anycastRows(
  4861,
  '7.2.7',
  'SHOULD',
  'an advertisement of an anycast address has no Override',
  'from an own address and without Override (RFC 4861 7.2.7)',
)
anycastRows(4861, '7.2.7', 'SHOULD', 'it is delayed by at most a second', 'a solicitation is answered within a second')
anycastRows(
  4862,
  '5.4',
  'MUST NOT',
  'duplicates of an anycast address are looked for',
  'another router with the same address is no conflict, nor looked for',
)
anycastRows(6164, '6', 'MUST', 'a /127 has no subnet-router anycast address', 'has none for two hosts, or one')

forwarderRows(
  4007,
  '9',
  'MUST NOT',
  'a packet from or to a link-local address leaves its link',
  'a packet from or to one may go back to that link',
)
forwarderRows(4291, '2.8', 'MUST', 'a router hears the all-routers groups', 'a router is in the group of all routers')

redirectRows(
  1122,
  '3.2.2.2',
  'MUST',
  'redirects about replies and errors of this host count',
  'about %s of ours is followed as well',
)
const admissionRows = file('ip/admission.test.ts')
for (const [rfc, section] of [
  [1122, '3.2.1.3'],
  [1812, '4.2.3.1'],
] as const)
  admissionRows(
    rfc,
    section,
    'MUST',
    'a source that is a broadcast address is discarded',
    'is neither answered nor forwarded: %s',
  )
admissionRows(4541, '2.1.1', 'SHOULD', 'queries from 0.0.0.0 are taken', 'from %s to %s, protocol %i: discarded are %o')
file('ip/never-answered.test.ts')(
  4443,
  '2.4 (e)',
  'MUST NOT',
  'an error answers a redirect',
  'but neither a redirect nor an error',
)
const jumboRows = file('wire/ipv6.test.ts')
for (const [asks, name] of [
  [
    'a payload length of 0 without the option is a problem of that field',
    'without a Jumbo Payload option is a problem of that field',
  ],
  [
    'the option with a payload length is a problem of the option',
    'a Jumbo Payload option with a Payload Length is a problem of the option',
  ],
  [
    'a jumbo length below 65536 is a problem of that length',
    'with a jumbo length below 65536 is a problem of that length',
  ],
  [
    'the option with a fragment header is a problem of that',
    'with a jumbo payload in fragments is a problem of the fragment header',
  ],
] as const)
  jumboRows(2675, '3', 'MUST', asks, name)

const routeInformation = file('ip/route-information.test.ts')
for (const [section, level, asks, name] of [
  [
    '2.2',
    'MUST',
    'the reserved preference of a router is medium',
    'of preference %i, heard before one of %i: packets go to %s',
  ],
  ['2.3', 'MUST', 'an option of reserved preference is ignored', 'with %s is ignored'],
  ['3.1', 'MUST', 'a ::/0 option overrides the header', 'of length 0 says more than the header of the router'],
  [
    '3.1',
    'MUST',
    'a route of lifetime 0 is removed',
    'counts for its lifetime, prolonged by each, and ends at once with 0',
  ],
  [
    '3.2',
    'SHOULD',
    'a reachable router comes before one that is not',
    'that does not answer gives way to one of less preference',
  ],
  [
    '3.2',
    'MUST',
    'the longest prefix comes before preference',
    'leads to its prefix by the router, and nothing else goes there',
  ],
] as const)
  routeInformation(4191, section, level, asks, name)
notApplicable(
  4191,
  '3.5',
  'SHOULD',
  'a preferred router that is not reachable is probed',
  'it counts again when it is heard',
)
routeInformation(4861, '6.3.4', 'SHOULD', 'an advertised MTU is that of the link', 'for what goes to %s')
const ownGroupRows = file('ip/groups/own-groups.test.ts')
ownGroupRows(
  9777,
  '6',
  'MUST',
  'the groups of a router are reported',
  'a router reports ff02::2 and ff05::2, at once and when it is asked',
)

const onEthernet = file('differential/ethernet.test.ts')
onEthernet(1122, '3.2.2.2', 'SHOULD', 'redirects are followed as Linux follows them', 'follow a redirect, or do not')
onEthernet(4861, '8.1', 'MUST', 'redirects are followed as Linux follows them', 'follow a redirect, or do not')
onEthernet(
  4191,
  '3.1',
  'SHOULD',
  'preferences and routes lead the ways that Linux takes',
  'learn the same ways from router advertisements',
)
onEthernet(
  4861,
  '6.3.4',
  'SHOULD',
  'advertisements are taken as Linux takes them',
  'learn the same ways from router advertisements',
)
onEthernet(4541, '2.1.1', 'SHOULD', 'queries are taken as Linux takes them', 'take a query of a group, or do not')

const nextHopRows = file('ip/next-hop.test.ts')
nextHopRows(
  1112,
  '6.4',
  'MUST',
  'a datagram to a group goes to the group’s hardware address',
  'goes to %s, whatever gateway the routes name',
)
nextHopRows(
  1122,
  '3.3.6',
  'MUST',
  'a broadcast is sent to the link, not to a gateway',
  'goes to %s, whatever gateway the routes name',
)

const natRequirements = file('network/nat/requirements.test.ts')
natRequirements(
  4787,
  '4.1 REQ-1',
  'MUST',
  'with each mapping, each filtering lets in whom it says',
  'RFC 4787 REQ-1 and REQ-8: %s mapping',
)
natRequirements(
  4787,
  '7 REQ-10',
  'SHOULD',
  'payloads are left alone: there are no gateways of applications',
  'REQ-10: a payload that names inside addresses is left alone',
)
natRequirements(
  4787,
  '8 REQ-11',
  'MUST',
  'mapping and filtering stay the same under every condition',
  'REQ-11: a host whose port is taken gets the same mapping and filtering as the first',
)
natRequirements(
  4787,
  '9 REQ-12 a',
  'SHOULD NOT',
  'ICMP errors are filtered by their source',
  'REQ-12 a: an error comes in from whatever address',
)
natRequirements(
  4787,
  '10 REQ-13 a',
  'MUST',
  'what is too long and may be fragmented is, in order',
  'REQ-13: what is too long for the outside draws',
)
natRequirements(
  4787,
  '11 REQ-14 a',
  'MUST',
  'a flood of fragments does not keep others from passing',
  'REQ-14 a: a flood of fragments without their others',
)
natRequirements(5508, '3.1 REQ-1', 'MUST', 'queries other than echoes pass too', 'REQ-1: a query other than an echo')
natRequirements(
  5508,
  '3.1 REQ-1 a',
  'SHOULD',
  'an identifier has one mapping, whatever host outside is asked',
  'REQ-1 a: one identifier has one mapping',
)
natRequirements(
  5508,
  '4.1 REQ-3',
  'SHOULD',
  'an error with a wrong checksum is dropped in silence',
  'REQ-3: an error with a wrong checksum',
)
natRequirements(
  5508,
  '4.1 REQ-3 a',
  'SHOULD',
  'so is one that quotes a wrong header checksum',
  'REQ-3 a: so is one that quotes a header',
)
natRequirements(
  5508,
  '4.1 REQ-3 b',
  'MUST',
  'options of the quoted header are passed over',
  'REQ-3 b, c: the ports behind options are found',
)
natRequirements(
  5508,
  '4.1 REQ-3 c',
  'SHOULD NOT',
  'the quoted transport checksum is validated',
  'REQ-3 b, c: the ports behind options are found',
)
natRequirements(
  5508,
  '4.2.1 REQ-4',
  'SHOULD',
  'an error from outside without a mapping is dropped in silence',
  'REQ-4: an error that no mapping asked for',
)
natRequirements(
  5508,
  '4.2.2 REQ-5',
  'SHOULD',
  'an error from inside without a mapping is dropped in silence',
  'REQ-5: an error from inside about what never came in',
)
natRequirements(
  5508,
  '6 REQ-8',
  'SHOULD',
  'a flow for which nothing is left draws Administratively Prohibited',
  'REQ-8: who finds no free port is told so',
)
natRequirements(
  5508,
  '7 REQ-10 a',
  'MUST',
  'the NAT answers echoes, and sends Time Exceeded',
  'REQ-10: the NAT itself answers echoes',
)
natRequirements(
  7857,
  '5',
  'SHOULD',
  'mappings of one protocol are not those of another',
  'section 5: TCP and UDP of one inside port',
)
natRequirements(
  7857,
  '6',
  'SHOULD',
  'who may send to a mapping of one protocol may not send to those of another',
  'section 6: who may send to a UDP mapping',
)
natRequirements(
  7857,
  '7',
  'SHOULD NOT',
  'what the filter discards prolongs a mapping, where what comes in does',
  'section 7: what the filter discards holds no mapping open',
)
natRequirements(
  7857,
  '7.1',
  'SHOULD NOT',
  'errors from inside refresh a mapping',
  'section 7.1: the errors that an inside host sends',
)
natRequirements(
  7857,
  '8',
  'MAY',
  'the parity of ports is not kept (an option)',
  'section 8: the parity of ports is kept where preserveParity is',
)
natRequirements(7857, '9', 'SHOULD', 'ports that are not kept are random', 'section 9: ports that are not kept')
natRequirements(
  7857,
  '12',
  'MUST',
  'ICMP requests to the outside address reach an inside host where only addresses are translated',
  'section 12: the NAT answers requests to its address itself',
)
natRows(
  7857,
  '12',
  'MUST',
  'errors about hairpin packets pass, by the mappings of their ports',
  'an error about a hairpin packet shows its sender nothing but outside addresses',
)
natRequirements(
  7857,
  '10',
  'SHOULD',
  'identifications are handled as RFC 6864 section 5.3.1 says',
  'datagrams of two inside hosts with one Identification leave with two',
)
natRequirements(
  6864,
  '5.3.1',
  'MUST',
  'what a NAT translates has identifications as if it had sent it',
  'datagrams of two inside hosts with one Identification leave with two',
)
file('network/nat/mapping-table.test.ts')(
  4787,
  '4.2.1 REQ-3 a',
  'SHOULD',
  'well-known ports stay well-known, others others',
  'a well-known port is replaced by one',
)
natRows(
  4787,
  '4.3 REQ-6 a',
  'MAY',
  'what comes in prolongs a mapping, where that is set',
  'is set back by what comes in when that is wanted',
)
notApplicable(
  4787,
  '4.1 REQ-2',
  'SHOULD',
  'an inside host keeps one outside address of several',
  'a NAT has one outside address',
)
notApplicable(
  4787,
  '4.4 REQ-7',
  'MUST',
  'inside and outside addresses that collide are handled',
  'addresses are given by the network, once, each to one node',
)
notApplicable(
  5508,
  '4.1 REQ-3 d',
  'MUST',
  'extensions of an error are left out when the quoted transport checksum is evaluated',
  'that checksum is adjusted and never evaluated',
)
notApplicable(
  7857,
  '3',
  'MAY',
  'connections to different remote ends share an outside port',
  'no two mappings of a protocol have one outside port (RFC 4787 REQ-3 b)',
)
notApplicable(7857, '4', 'SHOULD', 'all sessions of an inside address have one outside address', 'there is only one')
notApplicable(
  7857,
  '11',
  'MAY',
  'a mapping of ICMP queries ends with the last session that uses it',
  'queries have no end that shows on the wire; the mapping ends by its time',
)

export const requirements: readonly Requirement[] = rows
