/** What is drawn: nodes, cables and flows are added and removed, as edits of the scenario's text. */
import { computed } from '@preact/signals'
import { placesOf } from '../draw/layout.ts'
import type { Point } from '../draw/places.ts'
import type { Edit } from '../protocol.ts'
import { edit, say } from './actions.ts'
import * as state from './state.ts'

/** The places of all nodes, sought once for all views. */
export const settled = computed(() =>
  placesOf(state.topology.value, state.scenario.value.flows?.[0]?.from, state.places.value),
)

interface Tool {
  readonly name: ToolName
  readonly key: string
  readonly label: string
  readonly group: 'hosts' | 'routers' | 'switches' | 'segments'
  readonly prefix: string
}

type ToolName = 'host' | 'router' | 'switch' | 'nat' | 'firewall' | 'segment'

export const TOOLS: readonly Tool[] = [
  { name: 'host', key: 'h', label: 'host', group: 'hosts', prefix: 'h' },
  { name: 'router', key: 'r', label: 'router', group: 'routers', prefix: 'r' },
  { name: 'switch', key: 's', label: 'switch', group: 'switches', prefix: 's' },
  { name: 'nat', key: 'n', label: 'NAT', group: 'routers', prefix: 'nat' },
  { name: 'firewall', key: 'f', label: 'firewall', group: 'routers', prefix: 'fw' },
  { name: 'segment', key: 'w', label: 'wire', group: 'segments', prefix: 'w' },
]

export function isTool(name: string | null): name is ToolName {
  return TOOLS.some((tool) => tool.name === name)
}

function freshName(prefix: string): string {
  const taken = new Set(state.topology.value.nodes.map(({ name }) => name))
  for (let number = 1; ; number++) if (!taken.has(`${prefix}${number}`)) return `${prefix}${number}`
}

/** Adds a node, where the pointer was, or right of all others; the others stay where they are. */
export async function addNode(name: ToolName, at?: Point, settled?: ReadonlyMap<string, Point>): Promise<void> {
  const tool = TOOLS.find((each) => each.name === name) as Tool
  const value = name === 'firewall' ? { filter: { block: ['5000/udp'] } } : null
  let node = ''
  const edits = (): Edit[] => {
    node = freshName(tool.prefix)
    return [{ set: [tool.group, node], value }]
  }
  const moved =
    at === undefined
      ? undefined
      : (): state.Places => ({
          ...Object.fromEntries(settled ?? []),
          ...state.places.value,
          [node]: [Math.round(at[0]), Math.round(at[1])],
        })
  if (!(await edit(edits, moved))) return
  state.tool.value = null
  state.selection.value = { kind: 'node', name: node }
  say(
    `${tool.label} ${node} was added.${name === 'nat' ? ' It translates when it has a cable inside and one outside.' : ''}`,
  )
  focusNode(node)
}

/** Lets the keyboard go on from a node. */
export function focusNode(name: string): void {
  requestAnimationFrame(() => {
    for (const element of document.querySelectorAll<SVGElement>('[data-node]'))
      if (element.dataset.node === name) element.focus()
  })
}

export function beginConnecting(name: string): void {
  state.connecting.value = name
  say(`A cable from ${name}: choose the other node with Tab and Enter, or by a click.`)
}

export async function connectTo(name: string): Promise<void> {
  const from = state.connecting.value
  state.connecting.value = null
  state.tool.value = null
  if (from === null) return
  let index = 0
  const edits = (): Edit[] => {
    index = state.scenario.value.links?.length ?? 0
    const made: Edit[] = [{ set: ['links', index], value: { between: [from, name], delay: '5ms' } }]
    // A NAT knows its outside when it has a second cable: that one.
    for (const [node, other] of [
      [from, name],
      [name, from],
    ] as const)
      if (/^nat\d*$/.test(node) && state.scenario.value.routers?.[node] === null && cablesOf(node) === 1)
        made.push({ set: ['routers', node, 'nat'], value: { outside: other } })
    return made
  }
  if (await edit(edits)) {
    state.selection.value = { kind: 'cable', index }
    say(`${from} and ${name} are connected.`)
    focusNode(name)
  }
}

function cablesOf(name: string): number {
  return (state.scenario.value.links ?? []).filter(({ between }) => between.includes(name)).length
}

interface NewFlow {
  readonly from: string
  readonly to: string
  readonly size: number
  readonly rate: number
  readonly dontFragment: string
}

export async function addFlow({ from, to, size, rate, dontFragment }: NewFlow): Promise<boolean> {
  const value = { from, to, size, rate, ...(dontFragment === 'want' ? {} : { dontFragment }) }
  let index = 0
  const edits = (): Edit[] => {
    const { flows = [], duration } = state.scenario.value
    index = flows.length
    const flow: Edit = { set: ['flows', index], value }
    // A drawing of one's own is not to run for ten seconds for a first look.
    return index === 0 && duration === undefined ? [{ set: ['duration'], value: '2s' }, flow] : [flow]
  }
  if (!(await edit(edits))) return false
  state.selection.value = { kind: 'flow', index }
  say(`A flow from ${from} to ${to} was added.`)
  return true
}

type Path = readonly (string | number)[]

/** Removes what is selected, with what cannot be without it. */
export async function removeSelected(): Promise<void> {
  const selected = state.selection.value
  if (selected === null || selected.kind === 'packet') return say('Select a node, a cable or a flow to remove it.')
  // A key that is pressed twice is not to remove what has moved up into the place.
  const edits = () => (state.selection.value === selected ? pathsOf(selected).map((path) => ({ remove: path })) : [])
  if (await edit(edits)) {
    state.selection.value = null
    say('Removed.')
  }
}

/** What goes with something, from the last, so that the places of the others hold. */
function pathsOf(selected: Exclude<state.Selection, null | { kind: 'packet' }>): Path[] {
  const { links = [], flows = [], events = [], routers = {} } = state.scenario.value
  const { cables } = state.topology.value
  const among = <Item>(key: string, list: readonly Item[], isGone: (item: Item) => boolean): Path[] =>
    list.flatMap((item, index) => (isGone(item) ? [[key, index]] : [])).reverse()
  if (selected.kind === 'flow') return [['flows', selected.index]]
  if (selected.kind === 'cable') {
    const name = cables[selected.index]?.name
    return [['links', selected.index], ...among('events', events, ({ link }) => link === name)]
  }
  const { name } = selected
  const own = new Set(cables.filter(({ ends }) => ends.some(({ node }) => node === name)).map((cable) => cable.name))
  const group = TOOLS.find(({ group: each }) => Object.hasOwn(state.scenario.value[each] ?? {}, name))?.group
  return [
    ...among('links', links, ({ between }) => between.includes(name)),
    ...among('flows', flows, ({ from, to }) => from === name || to === name),
    ...among('events', events, ({ node, link, from }) => node === name || own.has(link ?? '') || from === name),
    ...Object.entries(routers)
      .filter(([, spec]) => spec?.nat?.outside === name || own.has(spec?.nat?.outside ?? ''))
      .filter(([router]) => router !== name)
      .map(([router]) => ['routers', router, 'nat']),
    ...(group === undefined ? [] : [[group, name]]),
  ]
}
