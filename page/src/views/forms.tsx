/** Forms for what is selected: everything that a scenario file can say of it, by its schema. */
import { useSignal } from '@preact/signals'
import type { Schema } from '../../../src/network/index.ts'
import type { Edit } from '../protocol.ts'
import { edit, say } from '../state/actions.ts'
import { removeSelected } from '../state/drawing.ts'
import * as state from '../state/state.ts'
import { CodelNow } from './cable-now.tsx'

type Path = readonly (string | number)[]

/** What stands in the file for a value, on one line. */
function sourceOf(value: unknown): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return `[${value.map(sourceOf).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, each]) => `${key}: ${sourceOf(each)}`)
    return `{ ${pairs.join(', ')} }`
  }
  return typeof value === 'string' && /^[\w.%/ -]+$/.test(value) && value.trim() === value
    ? value
    : JSON.stringify(value)
}

function resolved(schema: Schema): Schema {
  const named = typeof schema.$ref === 'string' ? schema.$ref.slice('#/$defs/'.length) : undefined
  if (named === undefined) return schema
  const definitions = state.schema.value?.$defs as Readonly<Record<string, Schema>> | undefined
  return { ...definitions?.[named], ...(schema.description === undefined ? {} : { description: schema.description }) }
}

/** A line for each key of a map; an empty one is not set. */
function Fields({
  of,
  path,
  value,
  skip = [],
}: {
  of: Schema
  path: Path
  value: Readonly<Record<string, unknown>>
  skip?: readonly string[]
}) {
  return (
    <>
      {Object.entries(resolved(of).properties ?? {})
        .filter(([key]) => !skip.includes(key))
        .map(([key, schema]) => (
          <Field
            key={[...path, key].join('.')}
            name={key}
            schema={resolved(schema)}
            path={[...path, key]}
            value={value[key]}
          />
        ))}
    </>
  )
}

function Field({ name, schema, path, value }: { name: string; schema: Schema; path: Path; value: unknown }) {
  const id = `field-${path.join('-').replace(/[^\w-]/g, '_')}`
  const shown = sourceOf(value)
  const wrong = useSignal(false)
  const change = async (text: string) => {
    if (text.trim() === shown) return
    const edits: Edit[] = text.trim() === '' ? [{ remove: path }] : [{ set: path, source: text }]
    wrong.value = !(await edit(edits))
  }
  const choices = schema.type === 'boolean' ? [true, false] : schema.enum
  return (
    <div class="field">
      <label for={id} title={schema.description}>
        {name}
      </label>
      {choices === undefined ? (
        <input
          id={id}
          // A new value from elsewhere is shown.
          key={shown}
          value={shown}
          placeholder={placeholderOf(schema)}
          aria-invalid={wrong.value}
          title={schema.description}
          spellcheck={false}
          onChange={(event) => void change(event.currentTarget.value)}
        />
      ) : (
        <select
          id={id}
          value={shown}
          title={schema.description}
          onChange={(event) => void change(event.currentTarget.value)}
        >
          <option value="">default</option>
          {choices.map((choice) => (
            <option value={sourceOf(choice)} key={`${choice}`}>{`${choice}`}</option>
          ))}
        </select>
      )}
    </div>
  )
}

/** What the description says of the default. */
function placeholderOf({ description = '' }: Schema): string {
  return /default:? ([^;:]+)/.exec(description)?.[1] ?? ''
}

function property(...keys: string[]): Schema {
  let schema = state.schema.value ?? {}
  for (const key of keys) {
    schema = resolved(schema)
    const choice = schema.anyOf?.map(resolved).find((each) => each.type === 'object')
    if (choice !== undefined) schema = choice
    if (key === '[]') schema = schema.items ?? {}
    else if (key === '*') schema = schema.additionalProperties === false ? {} : (schema.additionalProperties ?? {})
    else schema = schema.properties?.[key] ?? {}
  }
  schema = resolved(schema)
  return schema.anyOf?.map(resolved).find((each) => each.type === 'object') ?? schema
}

const DIRECTIONS = ['both', 'forward', 'back'] as const

export function CablePanel({ index }: { index: number }) {
  const way = useSignal<(typeof DIRECTIONS)[number]>('both')
  const link = state.scenario.value.links?.[index]
  const cable = state.topology.value.cables[index]
  if (link === undefined || cable === undefined) return null
  const [a, b] = link.between
  const schema = property('links', '[]')
  const impairments = Object.keys(property('links', '[]', 'forward').properties ?? {}).filter((key) => key !== 'mtu')
  const rest = Object.keys(schema.properties ?? {}).filter(
    (key) => impairments.includes(key) || ['forward', 'back', 'between'].includes(key),
  )
  const words = { both: 'both ways', forward: `${a} → ${b}`, back: `${b} → ${a}` }
  return (
    <div class="form">
      <header>
        <h2>cable {cable.name}</h2>
        <button type="button" onClick={() => void removeSelected()}>
          remove
        </button>
      </header>
      <p class="muted">
        {a} to {b}
      </p>
      <p class="codel">
        <CodelNow index={index} />
      </p>
      <Fields of={schema} path={['links', index]} value={link as never} skip={rest} />
      <div class="tabs" role="tablist" aria-label="Direction">
        {DIRECTIONS.map((each) => (
          <button
            type="button"
            role="tab"
            key={each}
            id={`way-${each}`}
            aria-controls="way-panel"
            aria-selected={way.value === each}
            onClick={() => (way.value = each)}
          >
            {words[each]}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="way-panel" aria-labelledby={`way-${way.value}`}>
        {way.value === 'both' ? (
          <Fields
            of={schema}
            path={['links', index]}
            value={link as never}
            skip={Object.keys(schema.properties ?? {}).filter((key) => !impairments.includes(key))}
          />
        ) : (
          <Fields
            of={property('links', '[]', 'forward')}
            path={['links', index, way.value]}
            value={(link[way.value] ?? {}) as never}
          />
        )}
      </div>
    </div>
  )
}

export function NodePanel({ name }: { name: string }) {
  const found = state.topology.value.nodes.find((node) => node.name === name)
  const group = (['hosts', 'routers', 'switches', 'segments'] as const).find((each) =>
    Object.hasOwn(state.scenario.value[each] ?? {}, name),
  )
  if (found === undefined || group === undefined) return null
  const value = ((state.scenario.value[group] as Record<string, unknown>)[name] ?? {}) as Record<string, unknown>
  const schema = property(group, '*')
  const rename = async (to: string) => {
    if (to === name) return
    if (to.trim() === '') return say('A node needs a name.')
    if (await edit([{ rename: name, to }])) state.selection.value = { kind: 'node', name: to }
  }
  return (
    <div class="form">
      <header>
        <h2>
          {found.kind} <span class="given">{name}</span>
        </h2>
        <button type="button" onClick={() => void removeSelected()}>
          remove
        </button>
      </header>
      <dl class="facts">
        {found.nics.map((nic) => (
          <div key={nic.name}>
            <dt>{nic.name}</dt>
            <dd>{nic.addresses.join(', ') || 'no address'}</dd>
          </div>
        ))}
      </dl>
      <NodeNow name={name} />
      <div class="field">
        <label for="node-name">name</label>
        <input id="node-name" key={name} value={name} onChange={(event) => void rename(event.currentTarget.value)} />
      </div>
      {group === 'routers' ? (
        <>
          <details open={value.nat !== undefined}>
            <summary>NAT</summary>
            <Fields
              of={property('routers', '*', 'nat')}
              path={[group, name, 'nat']}
              value={(value.nat ?? {}) as never}
            />
          </details>
          <details open={value.filter !== undefined && value.filter !== null}>
            <summary>filter</summary>
            <Fields
              of={property('routers', '*', 'filter')}
              path={[group, name, 'filter']}
              value={(value.filter ?? {}) as never}
            />
          </details>
        </>
      ) : null}
      <Fields of={schema} path={[group, name]} value={value} skip={['nat', 'filter']} />
    </div>
  )
}

/** What happens at a node at this time: what it has discarded so far. */
function NodeNow({ name }: { name: string }) {
  const now = state.calmTime.value
  const counts = new Map<string, number>()
  for (const drop of state.model.value?.drops ?? []) {
    if (drop.time > now) break
    if (drop.node === name) counts.set(drop.reason, (counts.get(drop.reason) ?? 0) + 1)
  }
  if (counts.size === 0) return null
  return <p class="bad">discarded by now: {[...counts].map(([reason, count]) => `${count} × ${reason}`).join(', ')}</p>
}

export function FlowPanel({ index }: { index: number }) {
  const flow = state.scenario.value.flows?.[index]
  if (flow === undefined) return null
  return (
    <div class="form">
      <header>
        <h2>flow {flow.name ?? `${flow.from}-${flow.to}`}</h2>
        <button type="button" onClick={() => void removeSelected()}>
          remove
        </button>
      </header>
      <Fields of={property('flows', '[]')} path={['flows', index]} value={flow as never} />
    </div>
  )
}

/** What is told of the whole network when nothing is selected. */
export function NetworkPanel() {
  const { name, description } = state.scenario.value
  return (
    <div class="form">
      <h2>{name ?? 'network'}</h2>
      {description === undefined ? null : <p>{description}</p>}
      <p class="muted">Select a node, a cable or a packet to see it here.</p>
      <details>
        <summary>scenario</summary>
        <Fields
          of={state.schema.value ?? {}}
          path={[]}
          value={state.scenario.value as never}
          skip={['hosts', 'routers', 'switches', 'segments', 'links', 'flows', 'programs']}
        />
      </details>
    </div>
  )
}
