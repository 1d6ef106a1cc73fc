/** What is drawn: nodes, cables and flows are added and removed, as edits of the scenario's text. */
import type { Point } from '../draw/layout.ts'
import type { Edit } from '../protocol.ts'
import { edit, say } from './actions.ts'
import * as state from './state.ts'

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
  const node = freshName(tool.prefix)
  const value = name === 'firewall' ? { filter: { block: ['5000/udp'] } } : null
  const moved =
    at === undefined
      ? undefined
      : { ...Object.fromEntries(settled ?? []), [node]: [Math.round(at[0]), Math.round(at[1])] as Point }
  const done = await edit([{ set: [tool.group, node], value }], moved)
  if (!done) return
  state.tool.value = null
  state.selection.value = { kind: 'node', name: node }
  say(
    `${tool.label} ${node} was added.${name === 'nat' ? ' It translates when it has a cable inside and one outside.' : ''}`,
  )
  focusNode(node)
}

/** Lets the keyboard go on from a node. */
function focusNode(name: string): void {
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
  const index = state.scenario.value.links?.length ?? 0
  const edits: Edit[] = [{ set: ['links', index], value: { between: [from, name], delay: '5ms' } }]
  // A NAT knows its outside when it has a second cable: that one.
  for (const [node, other] of [
    [from, name],
    [name, from],
  ] as const)
    if (/^nat\d*$/.test(node) && state.scenario.value.routers?.[node] === null && cablesOf(node) === 1)
      edits.push({ set: ['routers', node, 'nat'], value: { outside: other } })
  if (await edit(edits)) {
    state.selection.value = { kind: 'cable', index }
    say(`${from} and ${name} are connected.`)
    focusNode(name)
  }
}

function cablesOf(name: string): number {
  return (state.scenario.value.links ?? []).filter(({ between }) => between.includes(name)).length
}

export interface NewFlow {
  readonly from: string
  readonly to: string
  readonly size: number
  readonly rate: number
  readonly dontFragment: string
}

export async function addFlow({ from, to, size, rate, dontFragment }: NewFlow): Promise<boolean> {
  const index = state.scenario.value.flows?.length ?? 0
  const value = { from, to, size, rate, ...(dontFragment === 'want' ? {} : { dontFragment }) }
  const edits: Edit[] = [{ set: ['flows', index], value }]
  // A drawing of one's own is not to run for ten seconds for a first look.
  if (index === 0 && state.scenario.value.duration === undefined) edits.unshift({ set: ['duration'], value: '2s' })
  if (!(await edit(edits))) return false
  state.selection.value = { kind: 'flow', index }
  say(`A flow from ${from} to ${to} was added.`)
  return true
}

/** Removes what is selected, with what cannot be without it. */
export async function removeSelected(): Promise<void> {
  const selected = state.selection.value
  if (selected === null || selected.kind === 'packet') return say('Select a node, a cable or a flow to remove it.')
  const { links = [], flows = [], events = [] } = state.scenario.value
  if (selected.kind === 'cable') {
    const name = state.topology.value.cables[selected.index]?.name
    // From the last, so that the places of the others hold.
    const gone = events.map(({ link }, index) => (link === name ? index : -1)).filter((index) => index >= 0)
    await removeAll([['links', selected.index], ...gone.reverse().map((index) => ['events', index])])
  } else if (selected.kind === 'flow') await removeAll([['flows', selected.index]])
  else {
    const { name } = selected
    const cables = state.topology.value.cables.filter(({ ends }) => ends.some(({ node }) => node === name))
    const paths: (string | number)[][] = []
    const indexes = <Item>(list: readonly Item[], isGone: (item: Item) => boolean) =>
      [...list.keys()].filter((index) => isGone(list[index] as Item)).reverse()
    for (const index of indexes(links, ({ between }) => between.includes(name))) paths.push(['links', index])
    for (const index of indexes(flows, ({ from, to }) => from === name || to === name)) paths.push(['flows', index])
    for (const index of indexes(
      events,
      (event) => event.node === name || cables.some((cable) => cable.name === event.link) || event.from === name,
    ))
      paths.push(['events', index])
    for (const [router, spec] of Object.entries(state.scenario.value.routers ?? {}))
      if (router !== name && (spec?.nat?.outside === name || cables.some((cable) => cable.name === spec?.nat?.outside)))
        paths.push(['routers', router, 'nat'])
    const group = TOOLS.find(({ group: each }) => Object.hasOwn(state.scenario.value[each] ?? {}, name))?.group
    if (group !== undefined) paths.push([group, name])
    await removeAll(paths)
  }
}

async function removeAll(paths: (string | number)[][]): Promise<void> {
  if (await edit(paths.map((path) => ({ remove: path })))) {
    state.selection.value = null
    say('Removed.')
  }
}
