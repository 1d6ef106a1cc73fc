/** What the commands say of the directions of cables. */
import type { HopResult } from '../network/scenario/flow.ts'
import { number } from './flow-text.ts'

/** The directions before which a frame waited. */
export function hopLines(hops: readonly HopResult[]): string[] {
  return hops.filter(hasWaiting).flatMap(hopText)
}

/** Whether a frame waited before it. */
export function hasWaiting({ queue }: HopResult): boolean {
  return queue !== null && queue.length.max > 0
}

function hopText({ link, from, to, offered, sent, utilization, queue, marks, drops }: HopResult): string[] {
  const counts = [
    ...Object.entries(drops).map(([reason, count]) => `, ${reason} ${count}`),
    ...(marks > 0 ? [`, marked ${marks}`] : []),
  ]
  const busy = utilization === null ? '' : `, busy ${number(100 * utilization)} %`
  const lines = [
    `${link}, ${from} > ${to}`,
    `  frames ${offered.frames}, sent ${sent.frames} (${sent.bytes} bytes)${busy}${counts.join('')}`,
  ]
  if (queue !== null) {
    lines.push(`  queue mean/p50/p95/p99/max ${ranks(queue.length)} frames`)
    if (queue.wait !== null) lines.push(`  wait mean/p50/p95/p99/max ${ranks(queue.wait)} ms`)
  }
  return lines
}

function ranks({ mean, p50, p95, p99, max }: { mean: number; p50: number; p95: number; p99: number; max: number }) {
  return [mean, p50, p95, p99, max].map(number).join('/')
}
