import type { Packet } from '../../base/packet.ts'

/** The frame check sequence, in bytes. */
const FCS = 4
/** The shortest frame, check sequence included (IEEE 802.3 section 4.4.2: minFrameSize). */
const SHORTEST = 64

/** Bytes that a frame is on the wire, without preamble and gap. */
export function wireLength({ start, end }: Packet, hasFcs: boolean): number {
  return hasFcs ? Math.max(SHORTEST, end - start + FCS) : end - start
}
