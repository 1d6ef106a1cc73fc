/** What the commands say of flows. */
import type { FlowResult } from '../network/scenario/flow.ts'

/** What became of a flow. */
export function flowLines(flow: FlowResult): string[] {
  const { latency, drops } = flow
  const percent = flow.sent === 0 ? '' : ` (${number((100 * flow.lost) / flow.sent)} %)`
  const inFlight = flow.inFlight > 0 ? `in flight ${flow.inFlight}, ` : ''
  const counted = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  const lines = [
    `${flow.name}: ${flow.from} > ${flow.to}, ${flow.mode}`,
    `  sent ${flow.sent}, received ${flow.received}, ${inFlight}lost ${flow.lost}${percent}, duplicated ` +
      `${flow.duplicated}, reordered ${flow.reordered}` +
      (flow.corrupted > 0 ? `, corrupted ${flow.corrupted}` : ''),
  ]
  if (latency !== null) {
    const { min, mean, p50, p90, p99, max } = latency
    lines.push(
      `  ${flow.mode === 'echo' ? 'round trip' : 'latency'} min/mean/p50/p90/p99/max ` +
        `${[min, mean, p50, p90, p99, max].map(number).join('/')} ms`,
    )
  }
  if (flow.throughput > 0) lines.push(`  throughput ${number(flow.throughput / 1000)} kbit/s`)
  if (flow.fragments > 0) lines.push(`  fragments ${flow.fragments}`)
  if (Object.keys(flow.errors).length > 0) lines.push(`  not sent: ${counted(flow.errors)}`)
  if (Object.keys(flow.icmp).length > 0) lines.push(`  caused ${causedText(flow)}`)
  for (const { node, nic, count } of flow.marks)
    lines.push(`  marked ${count} at ${node}.${nic}: congestion experienced`)
  for (const { node, nic, reason, count } of drops)
    lines.push(`  dropped ${count} at ${node}${nic === '' ? '' : `.${nic}`}: ${reason}`)
  return lines
}

/** ICMP messages that were sent, and how many arrived where that is not all. */
function causedText({ icmp, icmpReached }: FlowResult): string {
  return Object.entries(icmp)
    .map(([name, count]) => {
      const reached = icmpReached[name] ?? 0
      return `${name} ${count}${reached === count ? '' : ` (${reached} arrived)`}`
    })
    .join(', ')
}

/** Three decimals at most. */
export function number(value: number): string {
  return `${Number(value.toFixed(3))}`
}
