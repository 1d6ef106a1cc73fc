/**
 * What the RFCs ask of this stack, and which test shows it. `docs/rfcs.md` is made from this by `test/rfc-ledger.test.ts`
 * (`TUNGRAM_WRITE_LEDGER=1 npx vitest run test/rfc-ledger.test.ts`), which also fails when a test named here does not exist.
 */

/** As the RFC has it, or as RFC 2119 would put it for older documents. */
export type Level = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY'

export interface Requirement {
  readonly rfc: number
  readonly section: string
  readonly asks: string
  readonly level: Level
  /** File under `test/`, and a part of the test's name; `null` while there is none. */
  readonly test: readonly [file: string, name: string] | null
}

const rows: Requirement[] = []
const file = (path: string) => (rfc: number, section: string, level: Level, asks: string, name: string) => {
  rows.push({ rfc, section, level, asks, test: [path, name] })
}
const open = (rfc: number, section: string, level: Level, asks: string) => {
  rows.push({ rfc, section, level, asks, test: null })
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
kernel(791, '3.1', 'MUST', 'Timestamp is filled in; what overflows is counted', 'a timestamp that is full and whose overflow is 15')
kernel(791, '3.2', 'MUST', 'fragments are put together by source, destination, protocol and identification', 'the key has the protocol')
kernel(791, '3.2', 'MUST', 'fragments may come in any order', 'two fragments in reverse order')
kernel(
  792,
  '',
  'MUST',
  'an echo reply has identifier, sequence and data of the request',
  'an echo reply copies identifier, sequence and data',
)
kernel(815, '', 'SHOULD', 'a duplicate does not disturb the datagram', 'duplicates of every fragment')
kernel(894, '', 'MUST', 'bytes behind Total Length are padding', 'bytes behind Total Length are ignored, in the quote as well')
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
kernel(1122, '3.2.2', 'MUST NOT', 'an ICMP error answers an ICMP error', 'no error about an ICMP error (RFC 1122 3.2.2)')
kernel(1122, '3.2.2', 'MUST NOT', 'an ICMP error answers a broadcast or multicast', 'a datagram to a closed port of ')
kernel(1122, '3.2.2', 'MUST NOT', 'an ICMP error answers a later fragment', 'no error about a later fragment')
kernel(1122, '3.2.2', 'MUST', 'unknown ICMP types are silently discarded', 'deprecated and unknown ICMP types are silent')
kernel(1122, '3.2.2.1', 'SHOULD', 'an unknown protocol draws Protocol Unreachable', 'an unknown protocol draws Protocol Unreachable')
kernel(1122, '3.2.2.6', 'MUST', 'an echo request is answered, with Record Route and Timestamp updated', 'IPv4 options, echoed')
kernel(1122, '3.2.2.8', 'MAY', 'a timestamp request is answered', 'a timestamp request is answered')
kernel(1122, '3.3.2', 'MUST', 'datagrams of at least 576 bytes are put together', 'a datagram of 65507 bytes, the largest')
kernel(
  1122,
  '4.1.3.1',
  'SHOULD',
  'a closed port draws Port Unreachable',
  'a closed port draws Port Unreachable that quotes at most 548 bytes',
)
kernel(1122, '4.1.3.3', 'MUST', 'ICMP errors reach the socket they are about', 'about a connected socket')
kernel(1122, '4.1.3.4', 'MUST', 'a wrong checksum is silently discarded', 'a wrong UDP checksum is a silent drop, on a closed port too')
kernel(1191, '3', 'MUST NOT', 'the path MTU goes below 68', 'Fragmentation Needed sets the path MTU, never below 552')
kernel(
  1812,
  '4.3.2.3',
  'SHOULD',
  'an error quotes as much as fits into 576 bytes',
  'a closed port draws Port Unreachable that quotes at most 548 bytes',
)
kernel(1812, '4.3.2.5', 'SHOULD', 'errors have the precedence of network control', 'the error keeps the precedence of network control')
kernel(3168, '5.3', 'MUST', 'ECN of fragments is combined, or the datagram discarded', 'fragments with ECN ')
kernel(3493, '3.7', 'MUST', 'an IPv6 socket gets IPv4 as mapped addresses', 'a dual-stack socket gets IPv4 as mapped addresses')
kernel(4291, '2.7', 'MUST NOT', 'a group is a source', 'an IPv6 datagram from ')
kernel(4443, '2.3', 'MUST', 'the checksum is checked', 'ICMPv6 with a wrong checksum or too short is a silent drop')
kernel(4443, '2.4 (c)', 'MUST', 'an error has at most 1280 bytes', 'a closed port draws ICMPv6 Port Unreachable of at most 1280 bytes')
kernel(4443, '2.4 (e)', 'MUST NOT', 'an error answers an error', 'no error about an ICMPv6 error')
kernel(4443, '2.4 (e)', 'MUST NOT', 'an error answers a multicast, but Packet Too Big and unknown options', 'unknown options to ')
kernel(4443, '2.4 (e)', 'MUST NOT', 'an error goes to an anycast source', 'an IPv6 datagram from ')
kernel(
  4443,
  '3.4',
  'MUST',
  'an unknown next header draws Parameter Problem 1',
  'an unknown next header draws Parameter Problem 1 with its offset',
)
kernel(4443, '4.2', 'MUST', 'an echo request is answered', 'an ICMPv6 echo reply copies identifier, sequence and data')
kernel(4942, '2.1.9.5', 'SHOULD', 'excessive padding is discarded', 'padding of more than seven bytes, or not zero, is a silent drop')
kernel(5095, '3', 'MUST', 'a type 0 routing header with segments left is refused', 'a routing header of any type')
kernel(5722, '4', 'MUST', 'overlapping fragments discard the datagram', 'a partial overlap kills the IPv6 datagram')
kernel(6633, '3', 'MUST', 'Source Quench is silently discarded', 'deprecated and unknown ICMP types are silent')
kernel(6918, '2', 'SHOULD NOT', 'deprecated types are answered', 'deprecated and unknown ICMP types are silent')
kernel(6946, '4', 'MUST', 'an atomic fragment is processed alone', 'an atomic fragment stays apart from a pending datagram')
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
kernel(8200, '4.2', 'MUST', 'unknown options are treated by their two top bits', 'unknown options by their two top bits')
kernel(8200, '4.4', 'MUST', 'unknown routing types are skipped without segments left, refused with', 'a routing header of any type')
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
kernel(8200, '8.1', 'MUST', 'a zero UDP checksum is discarded', 'UDP over IPv6: a zero or wrong checksum is a silent drop')
kernel(8201, '4', 'MUST', 'Packet Too Big below 1280 is discarded', 'Packet Too Big sets the path MTU, below 1280 it is ignored')
kernel(8504, '5.3', 'MAY', 'the number of options is limited', 'more than eight options are a silent drop')
kernel(9868, '7', 'MUST', 'the surplus behind the UDP length is no payload', 'a UDP length below the IP payload trims the datagram')

const router = file('ip/forwarding.test.ts')
router(791, '3.1', 'MUST', 'only options with the copy bit go into later fragments', 'copies options to later fragments by their copy bit')
router(1122, '3.2.1.3', 'MUST', 'a host silently discards what is for others', 'discards what is for others in silence')
router(1122, '3.3.4.2', 'MAY', 'the strong host model', 'takes a packet for the address of another nic only in the weak host model')
router(1624, '3', 'SHOULD', 'the checksum is updated by equation 3', 'passes a packet on with one hop less and a checksum that is right')
router(1812, '4.3.2.8', 'SHOULD', 'errors are limited in rate', 'are limited per destination')
router(1812, '5.2.6', 'MUST', 'IPv4 is fragmented when DF is clear', 'fragments IPv4 when DF is clear, fragments too')
router(1812, '5.2.7.1', 'MUST', 'unreachable destinations are reported', 'says that there is no route, or that it is prohibited')
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
router(4007, '9', 'MUST', 'a link-local source going elsewhere draws Beyond Scope', 'says Beyond Scope for a link-local source')
router(4443, '2.4 (f)', 'MUST', 'errors are limited in rate', 'are limited per destination')
router(
  4443,
  '3.2',
  'MUST',
  'Packet Too Big has the MTU of the next link',
  'says Fragmentation Needed and Packet Too Big with the MTU of the next link',
)
router(7126, '4.3', 'SHOULD', 'source routes can be allowed', 'refuses source routes unless told otherwise')
router(8200, '4.2', 'MUST', 'a router looks at hop-by-hop options', 'answers for a bad hop-by-hop option on its way through')

const chain = file('tun/routers.test.ts')
chain(1191, '4', 'MUST', 'the MTU of a path is found by real tools', 'the narrowest MTU is found by tracepath (RFC 1191 4)')
chain(1812, '5.3.1', 'MUST', 'every router on the way is seen by traceroute', 'by traceroute (RFC 1812 5.3.1)')
chain(8201, '4', 'MUST', 'the MTU of an IPv6 path is found by real tools', 'the narrowest MTU is found by tracepath -6')

const prober = file('ip/path-mtu-prober.test.ts')
prober(8899, '4.3', 'MUST', 'black holes are noticed', 'notices a black hole, and finds the smaller size')
prober(8899, '4.6.2', 'MUST', 'too-big reports are judged by what they claim', 'is not raised by a report that promises too much')
prober(8899, '5.1.2', 'SHOULD', 'a size is given up after three probes', 'counts a size as too long only after three unanswered probes')
prober(8899, '5.2', 'MUST', 'the error state falls back to the minimum', 'falls to the minimum where the base size does not pass')
prober(8899, '5.3', 'SHOULD', 'the search finds the path MTU without ICMP', 'finds %i exactly, with ICMP and without it')
prober(8899, '5.3.3', 'SHOULD', 'the size is raised again in time', 'recovers from a report that claims too little')

const identification = file('ip/identification.test.ts')
identification(
  6864,
  '4.3',
  'MUST',
  'identifications are unique for the lifetime of a datagram',
  'are unique per source, destination and protocol',
)
identification(7739, '5', 'SHOULD', 'identifications cannot be guessed', 'do not tell one destination what another gets')

const reassembly = file('ip/reassembler.test.ts')
reassembly(
  8200,
  '4.5',
  'MUST',
  'incomplete datagrams are forgotten after 60 seconds',
  'that never become whole are forgotten in time, the oldest first',
)

open(1191, '7.1', 'SHOULD', 'an MTU of 0 takes the next plateau (there is a table; its differential case is not)')
open(1122, '3.2.1.8', 'MUST', 'a host can send source routes (refused here on purpose: RFC 7126)')
open(2113, '2.1', 'MUST', 'a router examines packets with Router Alert (parsed, not handed to anybody)')
open(4884, '4', 'MAY', 'ICMP extensions behind a padded quote')
open(8335, '', 'MAY', 'extended echo')

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

const arpRows = file('ip/arp.test.ts')
arpRows(
  826,
  '',
  'MUST',
  'an entry that exists is updated before the operation is looked at',
  'for others makes no entry, but updates one that is there, whatever the operation',
)
arpRows(826, '', 'MUST', 'a request for us makes an entry and is answered', 'for our address is answered, and its sender is known then')
arpRows(1122, '2.3.2.1', 'MUST', 'ARP requests go out once a second at most', 'is asked for once a second, three times')
arpRows(1122, '2.3.2.2', 'SHOULD', 'packets are kept while the address is found out', 'waits with up to a hundred others')
arpRows(1122, '3.2.2', 'MUST NOT', 'an ICMP error answers a link-layer broadcast', 'draw no ICMP error (RFC 1122 section 3.2.2)')
arpRows(894, '', 'MUST', 'frames are padded to 46 bytes', 'are padded to 46 bytes: the packet ends where its length says (RFC 894)')
arpRows(5227, '2.1.1', 'MUST NOT', 'a probe from 0.0.0.0 changes a cache', 'answered, and teaches nothing (RFC 5227 section 2.1.1)')
arpRows(5227, '2.1', 'MUST', 'a new address is probed for, if asked for', 'is probed for three times and announced twice')
arpRows(5227, '2.3', 'MUST', 'a new address is announced', 'is announced when it is added (RFC 5227 section 2.3)')
arpRows(5227, '2.4', 'MUST', 'an address is defended', 'is defended, once in ten seconds')
arpRows(
  4861,
  '7.3',
  'MUST',
  'a neighbor goes from reachable to stale, delay, probe',
  'is reachable for 15 to 45 seconds, then stale, and probed only',
)

const ethernetRows = file('link/ethernet.test.ts')
ethernetRows(1112, '6.4', 'MUST', 'the hardware address holds 23 bits of an IPv4 group', 'keep only 23 bits of an IPv4 group')
ethernetRows(2464, '7', 'MUST', 'IPv6 groups map to 33:33', 'the group address is the one its IP destination asks for')

const ndRows = file('ip/nd.test.ts')
ndRows(
  4861,
  '7.2.2',
  'MUST',
  'a neighbor is solicited three times, then unreachable',
  'is asked for three times, from the address it comes from, and then given up with address unreachable',
)
ndRows(4861, '7.2.4', 'MUST', 'a solicitation from :: is answered to all nodes', 'somebody tries our address (RFC 4861 section 7.2.4)')
ndRows(4861, '7.2.5', 'MUST NOT', 'an unsolicited advertisement makes an entry', 'that nobody asked for makes no entry')
ndRows(4861, '7.2.5', 'MUST', 'the override flag decides about another address', 'of another address with override replaces it')
ndRows(6980, '5', 'MUST', 'Neighbor Discovery in fragments is ignored', 'even an atomic one (RFC 6980)')
ndRows(
  4862,
  '5.4',
  'MUST',
  'addresses are checked for duplicates before use',
  'asks once within a second, and takes the address a second later',
)
ndRows(4862, '5.4', 'MUST NOT', 'a tentative address answers or sends', 'answers nothing and sends nothing from the address meanwhile')
ndRows(4862, '5.3', 'MUST', 'a link-local address is made', 'makes a link-local address of the hardware address first')

const neighborcodecsRows = file('ip/neighbor-codecs.test.ts')
neighborcodecsRows(4861, '7.1', 'MUST', 'a hop limit below 255 is discarded', 'no truncation passes, nor a hop limit of 254')
neighborcodecsRows(
  4861,
  '4.6',
  'MUST',
  'an option of length 0 discards the message',
  'an option of length 0, or one that ends behind the message',
)
neighborcodecsRows(9776, '4.1.1', 'MUST', 'response codes from 128 on are mantissa and exponent', '(RFC 9776 section 4.1.1)')
neighborcodecsRows(9777, '5.1.3', 'MUST', 'response codes from 32768 on are mantissa and exponent', '(RFC 9777 section 5.1.3)')
neighborcodecsRows(2711, '2.1', 'MUST', 'MLD carries Router Alert', 'nor a missing router alert')

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
groupsRows(9776, '5.2', 'MUST', 'queries for sources are answered with those wanted', 'for sources is answered with those that are wanted')
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
groupsRows(1112, '6.4', 'MUST', 'the IP address decides, not the hardware address', 'only the IP address decides (RFC 1112 section 6.4)')

const udplayerRows = file('udp/udp-layer.test.ts')
udplayerRows(6437, '3', 'SHOULD', 'one flow has one label, not 0', '(RFC 6437 section 3)')

export const requirements: readonly Requirement[] = rows
