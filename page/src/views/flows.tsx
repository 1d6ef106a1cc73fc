/** Who sends what to whom, and what has become of it by now. */
import { upperBound } from '../state/model.ts'
import * as state from '../state/state.ts'
import { Swatch } from './swatch.tsx'
import { rateText, spanText } from './words.ts'

export function FlowsView() {
  const model = state.model.value
  const specs = state.scenario.value.flows ?? []
  const now = state.calmTime.value
  const former = state.difference.value?.received
  if (model === null || specs.length === 0)
    return (
      <div class="flows">
        <p class="empty">
          Nobody sends anything.{' '}
          <button type="button" class="link" onClick={() => (state.dialog.value = 'flow')}>
            Add a flow
          </button>
        </p>
      </div>
    )
  const selected = state.selection.value
  return (
    <div class="flows scroll" tabIndex={0} role="region" aria-label="Flows">
      <table>
        <thead>
          <tr>
            <th scope="col">flow</th>
            <th scope="col">from → to</th>
            <th scope="col" class="number">
              sent
            </th>
            <th scope="col" class="number">
              arrived
            </th>
            <th scope="col" class="number">
              dropped
            </th>
            <th scope="col" class="number">
              latency now
            </th>
            <th scope="col" class="number">
              p50 / p99
            </th>
            <th scope="col" class="number">
              throughput
            </th>
            <th scope="col">why, in the whole run</th>
          </tr>
        </thead>
        <tbody>
          {model.run.flows.map((flow, index) => {
            const times = model.run.flowTimes[index]
            if (times === undefined) return null
            const arrived = upperBound(times.arrived, now)
            const change = former?.has(flow.name) ? flow.received - (former.get(flow.name) as number) : 0
            const isSelected = selected?.kind === 'flow' && selected.index === index
            const choose = () => {
              state.selection.value = { kind: 'flow', index }
            }
            return (
              <tr key={flow.name} class={isSelected ? 'selected' : ''} onClick={choose}>
                <th scope="row">
                  <button type="button" class="link" onClick={choose}>
                    <Swatch flow={index} /> {flow.name}
                  </button>
                </th>
                <td>
                  {flow.from} → {flow.to}
                </td>
                <td class="number">{upperBound(times.sent, now)}</td>
                <td class="number">
                  {arrived}
                  {change !== 0 ? (
                    <span
                      class={change > 0 ? 'more' : 'less'}
                      title="of the whole run, against the run before the last change"
                    >
                      {' '}
                      {change > 0 ? '+' : '−'}
                      {Math.abs(change)}
                    </span>
                  ) : null}
                </td>
                <td class={`number${times.dropped.length > 0 ? ' bad' : ''}`}>{upperBound(times.dropped, now)}</td>
                <td class="number">{arrived > 0 ? spanText(times.latency[arrived - 1] as number) : '–'}</td>
                <td class="number">
                  {flow.latency === null ? '–' : `${spanText(flow.latency.p50)} / ${spanText(flow.latency.p99)}`}
                </td>
                <td class="number">{rateText(flow.throughput)}</td>
                <td>
                  {flow.drops.map(({ node, nic, reason, count }) => (
                    <div key={`${node} ${nic} ${reason}`}>
                      {count} × {reason} at {nic === '' ? node : `${node}.${nic}`}
                    </div>
                  ))}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
      <p>
        <button type="button" onClick={() => (state.dialog.value = 'flow')}>
          add a flow
        </button>
      </p>
    </div>
  )
}
