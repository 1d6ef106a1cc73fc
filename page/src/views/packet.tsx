/** A datagram: its life, its bytes with the fields of its headers, and who caused it. */

import reasons from 'virtual:drop-reasons'
import { useSignal, useSignalEffect } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { flowColor } from '../draw/palette.ts'
import { CAUSED, type Detail, type FrameBytes, type PacketField } from '../protocol.ts'
import { beside, engine, say } from '../state/actions.ts'
import { seek, select } from '../state/cursor.ts'
import type { RunModel } from '../state/model.ts'
import * as state from '../state/state.ts'
import { LifeList } from './life-list.tsx'
import { datagramText, timeText } from './words.ts'

const TABS = ['life', 'bytes', 'why'] as const

export function PacketPanel({ id, model }: { id: number; model: RunModel }) {
  const tab = useSignal<(typeof TABS)[number]>('life')
  const detail = useSignal<Detail | null>(null)
  useSignalEffect(() => {
    const selected = state.selection.value
    const current = state.model.value
    if (selected?.kind !== 'packet' || current === null) return
    const wanted = selected.id
    detail.value = null
    engine.call('detail', [current.request, wanted]).then(
      (found) => {
        if (state.model.value === current && selectedId() === wanted) detail.value = found
      },
      (error: Error) => say(error.message),
    )
  })
  const flow = model.run.datagrams.flow[id - 1] as number
  const own = model.flowOf(id)
  const change = state.difference.value?.datagrams.get(id)
  const drops = model.drops.filter((drop) => drop.datagram === id)
  return (
    <div class="packet">
      <header>
        <h2>
          <i style={{ background: flowColor(own) }} /> datagram {id}
        </h2>
        <span class="move">
          <button type="button" title="the one before of this flow (key [)" onClick={() => beside(-1)}>
            [
          </button>
          <button type="button" title="the next one of this flow (key ])" onClick={() => beside(1)}>
            ]
          </button>
        </span>
      </header>
      <p class="muted">
        {datagramText(model, id).replace(/^#\d+ /, '')}
        {flow >= 0 ? `, ${own < 0 ? 'on account of ' : ''}flow ${model.run.flows[flow]?.name}` : ''}
      </p>
      {change === undefined ? null : (
        <p class={`changed ${change}`}>
          {change === 'lost' ? 'It arrived before the last change.' : 'It did not arrive before the last change.'}
        </p>
      )}
      {drops.slice(0, 3).map(({ node, nic, reason, time }) => (
        <button type="button" class="verdict" key={`${time} ${node} ${nic}`} onClick={() => seek(time)}>
          ✕ {nic === '' ? node : `${node}.${nic}`}: {reason}
          <span>{reasons[reason] ?? ''}</span>
        </button>
      ))}
      <div class="tabs" role="tablist" aria-label="Datagram">
        {TABS.map((name) => (
          <button
            type="button"
            role="tab"
            key={name}
            id={`packet-${name}`}
            aria-controls="packet-panel"
            aria-selected={tab.value === name}
            onClick={() => (tab.value = name)}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="packet-panel" aria-labelledby={`packet-${tab.value}`}>
        {tab.value === 'life' ? <LifeList id={id} model={model} /> : null}
        {tab.value === 'bytes' ? (
          detail.value === null ? (
            <p class="muted">…</p>
          ) : (
            <Bytes detail={detail.value} />
          )
        ) : null}
        {tab.value === 'why' ? <Why id={id} model={model} detail={detail.value} /> : null}
      </div>
    </div>
  )
}

function selectedId(): number {
  const selected = state.selection.value
  return selected?.kind === 'packet' ? selected.id : 0
}

/** Bytes in a line: as many as fit beside the fields. */
const LINE = 16

function Bytes({ detail }: { detail: Detail }) {
  const now = state.calmTime.value
  const chosen = useSignal<number | null>(null)
  const lit = useSignal<PacketField | null>(null)
  // Without a choice: the frame that passed last before the cursor.
  const passed = detail.frames.findLastIndex(({ time }) => time <= now + 1e-6)
  const place = Math.min(detail.frames.length - 1, chosen.value ?? Math.max(0, passed))
  const frame = detail.frames[place]
  if (frame === undefined) return <p class="muted">No frame of it was on a wire.</p>
  const light = (field: PacketField | null) => {
    lit.value = field
  }
  return (
    <div class="bytes">
      <label>
        frame{' '}
        <select value={place} onChange={(event) => (chosen.value = Number(event.currentTarget.value))}>
          {detail.frames.map(({ time, at, direction, bytes }, index) => (
            <option value={index} key={`${time} ${at} ${index}`}>
              {timeText(time)} {direction} {at}, {bytes.length} B
            </option>
          ))}
        </select>
      </label>
      {frame.notes.map((note) => (
        <p class="bad" key={note}>
          {note}
        </p>
      ))}
      <Hex frame={frame} lit={lit.value} light={light} />
      {frame.layers.map((layer) => (
        <table class="fields" key={`${layer.name} ${layer.at}`}>
          <caption>
            {layer.name} <span class="muted">{layer.fields[0]?.source}</span>
          </caption>
          <tbody>
            {layer.fields.map((field) => (
              <tr
                key={field.name}
                class={lit.value?.at === field.at && lit.value.name === field.name ? 'lit' : ''}
                onPointerEnter={() => light(field)}
                onPointerLeave={() => light(null)}
                tabIndex={0}
                onFocus={() => light(field)}
                onBlur={() => light(null)}
              >
                <th scope="row">{field.name}</th>
                <td>{field.value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </div>
  )
}

/** Bytes that are shown of a frame at first: its headers, with the fields below still in sight. */
const SHOWN = 96

function Hex({
  frame,
  lit,
  light,
}: {
  frame: FrameBytes
  lit: PacketField | null
  light: (field: PacketField | null) => void
}) {
  const { bytes, layers } = frame
  /** Of each byte: the smallest field that it is of, and whether it is a header's. */
  const fields = useMemo(() => {
    const found: (PacketField | undefined)[] = []
    // What a program sent has no fields.
    for (const { fields: all, name } of layers)
      if (name !== 'payload')
        for (const field of all)
          for (let at = field.at; at < field.at + field.length; at++)
            if (found[at] === undefined || (found[at] as PacketField).length > field.length) found[at] = field
    return found
  }, [frame])
  const all = useSignal(false)
  const shown = all.value ? bytes.length : Math.min(bytes.length, SHOWN)
  const lines = Math.ceil(shown / LINE)
  return (
    <div class="hex" role="group" aria-label={`${bytes.length} bytes; the fields are in the tables below`}>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line}>
          <span class="offset">{(line * LINE).toString(16).padStart(4, '0')}</span>
          {Array.from({ length: Math.min(LINE, shown - line * LINE) }, (_unused, index) => {
            const at = line * LINE + index
            const field = fields[at]
            const isLit = lit !== null && at >= lit.at && at < lit.at + lit.length
            return (
              <span
                key={at}
                class={`${field === undefined ? 'payload' : 'header'}${isLit ? ' lit' : ''}${index === 8 ? ' half' : ''}`}
                title={field === undefined ? undefined : `${field.name}: ${field.value} (${field.source})`}
                onPointerEnter={() => light(field ?? null)}
                onPointerLeave={() => light(null)}
              >
                {(bytes[at] as number).toString(16).padStart(2, '0')}
              </span>
            )
          })}
        </div>
      ))}
      {bytes.length > shown ? (
        <button type="button" class="link" onClick={() => (all.value = true)}>
          and {bytes.length - shown} bytes more
        </button>
      ) : null}
    </div>
  )
}

function Why({ id, model, detail }: { id: number; model: RunModel; detail: Detail | null }) {
  const { datagrams, events } = model.run
  const cause = datagrams.causedBy[id - 1] as number
  const effects = [...model.eventsOf(id)]
    .filter((row) => events.what[row] === CAUSED)
    .map((row) => events.value[row] as number)
  return (
    <div class="why">
      {cause > 0 ? (
        <p>
          It was sent on account of{' '}
          <button type="button" class="link" onClick={() => select(cause)}>
            {datagramText(model, cause)}
          </button>
        </p>
      ) : (
        <p class="muted">Nothing caused it: a program sent it.</p>
      )}
      {effects.length > 0 ? (
        <p>
          It caused{' '}
          {effects.map((effect) => (
            <button type="button" class="link" key={effect} onClick={() => select(effect)}>
              {datagramText(model, effect)}
            </button>
          ))}
        </p>
      ) : null}
      {detail === null ? null : <pre>{detail.life}</pre>}
    </div>
  )
}
