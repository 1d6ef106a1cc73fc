/** Numbers and events in words. */
import { KINDS } from '../protocol.ts'
import type { RunModel } from '../state/model.ts'

/** Milliseconds with as many decimals as say something. */
export function timeText(time: number): string {
  return time >= 100_000 ? time.toFixed(0) : time >= 1000 ? time.toFixed(1) : time.toFixed(2)
}

/** `412.08 ms`, `10 s` */
export function spanText(time: number): string {
  if (time >= 1000) return `${Number((time / 1000).toFixed(3))} s`
  return `${Number(time.toFixed(time < 1 ? 3 : 2))} ms`
}

export function rateText(bits: number): string {
  if (bits >= 1e6) return `${(bits / 1e6).toFixed(2)} Mbit/s`
  return bits >= 1000 ? `${(bits / 1000).toFixed(1)} kbit/s` : `${bits.toFixed(0)} bit/s`
}

/** What happened, without when and where. */
export function eventText(model: RunModel, row: number): string {
  const { what, nic, reason, value } = model.run.events
  const at = model.text(nic[row] as number)
  const number = value[row] as number
  switch (KINDS[what[row] as number]) {
    case 'sent':
      return `sent by ${at}`
    case 'forwarded':
      return `forwarded by ${at}`
    case 'queued':
      return `waits in the queue of ${at}`
    case 'marked':
      return `marked in the queue of ${at}: congestion experienced`
    case 'delayed':
      return `on the wire of ${at} for ${spanText(number)}`
    case 'duplicated':
      return `doubled on the wire of ${at}`
    case 'corrupted':
      return `damaged on the wire of ${at}`
    case 'overtaking':
      return `overtakes others on the wire of ${at}`
    case 'arrived':
      return `arrived at ${at}`
    case 'translated':
      return `translated by the NAT on ${at}`
    case 'delivered':
      return 'delivered'
    case 'dropped':
      return `dropped${at === '' ? '' : ` at ${at}`}: ${model.text(reason[row] as number)}`
    default:
      return `caused datagram ${number}`
  }
}

/** `#17 UDP client → 10.0.2.2, 1401 B` */
export function datagramText(model: RunModel, id: number): string {
  const { title, destination, length, from } = model.run.datagrams
  const row = id - 1
  return `#${model.numberOf(id)} ${model.text(title[row] as number)} ${model.text(from[row] as number)} → ${model.text(destination[row] as number)}, ${length[row]} B`
}
