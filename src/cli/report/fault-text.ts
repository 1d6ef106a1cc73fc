/** The faults of a cable, as a scenario file gives them, in a few words. */
import type { ChooserSpec, DelaySpec, ImpairmentSpec, QueueSpec } from '../../network/scenario/impairment-spec.ts'

/** One entry for each fault: `10 ms`, `1 Mbit/s`, `loss 1 %`. */
export function faultTexts({
  mtu,
  rate,
  queue,
  loss,
  corruption,
  duplication,
  delay,
  jitter,
  reordering,
}: ImpairmentSpec): string[] {
  const texts: string[] = []
  if (delay !== undefined) texts.push(`${delayText(delay)}${jitter === undefined ? '' : ` ± ${duration(jitter)}`}`)
  else if (jitter !== undefined) texts.push(`jitter ${duration(jitter)}`)
  if (rate !== undefined) texts.push(rateText(rate))
  if (queue !== undefined) texts.push(queueText(queue))
  const chosen = { loss, corruption, duplication, reordering }
  for (const [name, spec] of Object.entries(chosen)) if (spec !== undefined) texts.push(`${name} ${chooserText(spec)}`)
  if (mtu !== undefined) texts.push(`black hole above ${mtu} bytes`)
  return texts
}

function duration(value: unknown): string {
  return typeof value === 'number' ? `${value} ms` : `${value}`.trim().replace(/^([\d.]+)\s*/, '$1 ')
}

function delayText(delay: DelaySpec): string {
  if (typeof delay !== 'object') return duration(delay)
  if ('uniform' in delay) return delay.uniform.map(duration).join(' to ')
  if ('normal' in delay) return `normal ${duration(delay.normal.mean)}, deviation ${duration(delay.normal.deviation)}`
  return `pareto from ${duration(delay.pareto.minimum)}`
}

function rateText(rate: ImpairmentSpec['rate']): string {
  if (typeof rate === 'string') return `${rate.trim().replace(/^([\d.]+)\s*([kMG]?bit)(\/s)?$/, '$1 $2')}/s`
  if (typeof rate !== 'number') return 'rate by a trace'
  const unit = [1e9, 1e6, 1e3, 1].find((each) => rate >= each) ?? 1
  return `${rate / unit} ${{ 1e9: 'G', 1e6: 'M', 1e3: 'k' }[unit] ?? ''}bit/s`
}

function queueText(queue: QueueSpec): string {
  const limit = (of: { packets?: number; bytes?: number }) =>
    [
      ...(of.packets === undefined ? [] : [` ${of.packets} packets`]),
      ...(of.bytes === undefined ? [] : [` ${of.bytes} bytes`]),
    ].join(',')
  if ('tailDrop' in queue) return `queue${limit(queue.tailDrop)}`
  return 'codel' in queue ? `CoDel${limit(queue.codel)}` : 'bands by TOS'
}

function chooserText(spec: ChooserSpec): string {
  if (typeof spec === 'number') return percent(spec)
  if (typeof spec === 'string') return spec.trim().replace(/\s*%$/, ' %')
  if ('probability' in spec) return percent(spec.probability)
  if ('gilbertElliott' in spec) return 'in bursts'
  if ('bySize' in spec)
    return `of ${spec.bySize.from}${spec.bySize.to === undefined ? ' bytes and more' : ` to ${spec.bySize.to} bytes`}`
  if ('pattern' in spec) return `by ${spec.pattern}`
  if ('frames' in spec) return `of frame ${spec.frames.join(', ')}`
  return 'bitErrorRate' in spec ? `at bit error rate ${spec.bitErrorRate}` : 'by a function'
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`
}
