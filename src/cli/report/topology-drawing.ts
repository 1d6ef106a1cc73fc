/**
 * The network as a drawing: nodes in columns by their distance from the first sender, cables with
 * what they do to packets.
 */
import type { Network } from '../../network/network.ts'
import type { Scenario } from '../../network/scenario/scenario.ts'
import type { LinkSpec } from '../../network/scenario/topology.ts'
import { faultTexts } from './fault-text.ts'
import { backdrop, html, type Markup, NOTHING, rounded } from './markup.ts'

const COLUMN = 250
/** Between nodes of a column, with labels on cables and without. */
const LABELED_ROW = 116
const BARE_ROW = 72
const NODE_HEIGHT = 40
/** Letters in a line of a label between two columns; height of a line, width of a letter. */
const LABEL = 25
const LINE = 13
const LETTER = 5.9
/** The rest of a label shows under the pointer, and in the table. */
const MOST_LINES = 5
/** Above these, labels and then the drawing itself would hide what they show. */
const MOST_LABELED = 40
const MOST_DRAWN = 200

type Kind = Network['nodes'][number]['kind']

interface Place {
  readonly name: string
  readonly kind: Kind
  readonly addresses: readonly string[]
  column: number
  x: number
  y: number
}

/** Nodes by their place from left to right, and the drawing. */
export interface Topology {
  readonly order: readonly string[]
  readonly drawing: Markup
}

/** `network` is the scenario's, as built. */
export function drawTopology(scenario: Scenario, network: Network): Topology {
  const links = scenario.links ?? []
  const labeled = links.length <= MOST_LABELED
  const places = placed(scenario, network, labeled ? LABELED_ROW : BARE_ROW)
  const all = [...places.values()].sort((a, b) => a.column - b.column || a.y - b.y)
  const order = all.map(({ name }) => name)
  if (all.length === 0) return { order, drawing: NOTHING }
  if (all.length > MOST_DRAWN)
    return { order, drawing: html`<p>${all.length} nodes and ${links.length} cables: too many for a drawing.</p>` }
  const taken = all.map(boxOf)
  const cables = links.map((_, index) => cable(links, index, places, labeled, taken))
  const bounds = [
    ...taken,
    ...cables.map(({ bend }) => ({ left: bend[0], right: bend[0], top: bend[1], bottom: bend[1] })),
  ]
  const [left, top] = [Math.min(...bounds.map((box) => box.left)) - 4, Math.min(...bounds.map((box) => box.top)) - 4]
  const width = Math.ceil(Math.max(...bounds.map((box) => box.right)) - left + 4)
  const height = Math.ceil(Math.max(...bounds.map((box) => box.bottom)) - top + 8)
  const drawing = html`<div class="scroll"><svg class="topology"
    viewBox="${rounded(left)} ${rounded(top)} ${width} ${height}"
    width="${width}" height="${height}"
    role="img" aria-label="Topology">
${cables.map(({ way }) => way)}
${cables.map(({ label }) => label)}
${all.map(node)}
</svg></div>
<p class="legend"><span><i class="shape host"></i>host</span><span><i class="shape router"></i>router</span>${
    all.some(({ kind }) => kind === 'switch') ? html`<span><i class="shape switch"></i>switch</span>` : NOTHING
  }${all.some(({ kind }) => kind === 'segment') ? html`<span><i class="shape segment"></i>wire</span>` : NOTHING}</p>
`
  return { order, drawing }
}

/** A row for each cable. */
export function linkTable({ links = [] }: Scenario): Markup {
  const cell = (texts: readonly string[]) => (texts.length === 0 ? '–' : texts.join(', '))
  return html`<div class="scroll"><table>
<thead><tr><th>cable</th><th>between</th><th>MTU</th><th>there →</th><th>← back</th></tr></thead>
<tbody>${links.map(
    (link) =>
      html`<tr><th scope="row">${link.name ?? link.between.join('-')}</th>
        <td>${link.between.join(' and ')}</td><td class="number">${link.mtu ?? 1500}</td>
        <td>${cell(directionTexts(link, 'forward'))}</td><td>${cell(directionTexts(link, 'back'))}</td></tr>
`,
  )}</tbody></table></div>`
}

function directionTexts(link: LinkSpec, direction: 'forward' | 'back'): string[] {
  const { mtu: _mtu, ...both } = link
  return faultTexts({ ...both, ...link[direction] })
}

// ── places ──

function placed(scenario: Scenario, network: Network, row: number): Map<string, Place> {
  const places = new Map<string, Place>()
  for (const { name, kind } of network.nodes) {
    const nics = kind === 'host' || kind === 'router' ? network.stack(name).nics : []
    const addresses = nics.flatMap((nic) =>
      nic.addresses
        .filter(({ address }) => !address.isLinkLocal && !address.isLoopback)
        .map(({ address }) => `${address}`),
    )
    places.set(name, { name, kind, addresses, column: -1, x: 0, y: 0 })
  }
  const neighbors = new Map<string, string[]>([...places.keys()].map((name) => [name, []]))
  for (const { between } of scenario.links ?? [])
    for (const [a, b] of [between, [between[1], between[0]] as const]) neighbors.get(a)?.push(b)
  const columns = inColumns(places, neighbors, scenario.flows?.[0]?.from)
  for (const [index, column] of columns.entries()) {
    const wanted = column.map((place) => {
      const before = (neighbors.get(place.name) ?? [])
        .map((name) => places.get(name) as Place)
        .filter((each) => each.column === index - 1)
      return { place, y: before.length === 0 ? 0 : before.reduce((sum, { y }) => sum + y, 0) / before.length }
    })
    wanted.sort((a, b) => a.y - b.y)
    let next = Number.NEGATIVE_INFINITY
    for (const { place, y } of wanted) {
      place.x = index * COLUMN
      place.y = Math.max(y, next)
      next = place.y + row
    }
    const shift = wanted.reduce((sum, { place, y }) => sum + y - place.y, 0) / Math.max(1, wanted.length)
    for (const { place } of wanted) place.y = Math.round(place.y + shift)
  }
  return places
}

/** By distance from the first node; parts that do not hang together stand below each other. */
function inColumns(places: Map<string, Place>, neighbors: Map<string, string[]>, first: string | undefined): Place[][] {
  const columns: Place[][] = []
  const starts = [
    first,
    ...[...places.values()].filter(({ kind }) => kind === 'host').map(({ name }) => name),
    ...places.keys(),
  ]
  for (const start of starts) {
    let front = start === undefined ? [] : [start]
    for (let column = 0; front.length > 0; column++) {
      const fresh = [...new Set(front)].map((name) => places.get(name) as Place).filter((place) => place.column < 0)
      for (const place of fresh) {
        place.column = column
        columns[column] = [...(columns[column] ?? []), place]
      }
      front = fresh.flatMap(({ name }) => neighbors.get(name) ?? [])
    }
  }
  return columns
}

// ── shapes ──

function node({ name, kind, addresses, x, y }: Place): Markup {
  const width = widthOf(name)
  const corner = kind === 'router' ? NODE_HEIGHT / 2 : kind === 'host' ? 5 : 0
  const shape =
    kind === 'segment'
      ? html`<rect x="${x - 4}" y="${y - 30}" width="8" height="60"/><text x="${x}" y="${y + 44}">${name}</text>`
      : html`<rect x="${x - width / 2}" y="${y - NODE_HEIGHT / 2}" width="${width}" height="${NODE_HEIGHT}"
        rx="${corner}"/>
<text x="${x}" y="${y + 5}">${name}</text>`
  const [address = ''] = kind === 'host' ? addresses : []
  return html`<g class="node ${kind}"><title>${[`${kind} ${name}`, ...addresses].join('\n')}</title>${shape}${
    address === '' ? NOTHING : html`<text class="small" x="${x}" y="${y + NODE_HEIGHT / 2 + 14}">${address}</text>`
  }</g>
`
}

function widthOf(name: string): number {
  return Math.max(64, name.length * 8.5 + 22)
}

/**
 * A cable: its way with the point to which it bends, and its label, for which a free place is
 * looked for; `taken` gets that.
 */
function cable(
  links: readonly LinkSpec[],
  index: number,
  places: Map<string, Place>,
  labeled: boolean,
  taken: Box[],
): { way: Markup; label: Markup; bend: readonly [number, number] } {
  const link = links[index] as LinkSpec
  const [a, b] = link.between.map((name) => places.get(name)) as [Place, Place]
  const twins = links
    .slice(0, index)
    .filter(({ between }) => between.every((name) => link.between.includes(name))).length
  // Straight between neighbouring columns; what would run through other nodes, or over its twin,
  // bows.
  const columns = Math.abs(a.column - b.column)
  const bow = (columns === 1 ? 0 : 110) + twins * 110
  const middle = [(a.x + b.x) / 2, (a.y + b.y) / 2] as const
  const bend = columns === 0 ? ([middle[0] + bow, middle[1]] as const) : ([middle[0], middle[1] + bow] as const)
  const lines = labelOf(link, a.x > b.x)
  const title = html`<title>${[link.name ?? link.between.join('-'), ...lines].join('\n')}</title>`
  const way = html`<g class="cable">${title}<path d="M${a.x} ${a.y}Q${bend[0]} ${bend[1]} ${b.x} ${b.y}"/></g>
`
  if (!labeled) return { way, label: NOTHING, bend }
  const level = bow === 0 && Math.abs(a.y - b.y) < 20
  /** Places for a label at a part of the way: on a slanting one, else above or below. */
  const boxesAt = (t: number, { length: count }: readonly string[], width: number): Box[] => {
    const [x, y] = [0, 1].map((axis) => {
      const [from, over, to] = [axis === 0 ? a.x : a.y, bend[axis] as number, axis === 0 ? b.x : b.y]
      return (1 - t) ** 2 * from + 2 * t * (1 - t) * over + t ** 2 * to
    }) as [number, number]
    const height = count * LINE
    const tops = level ? [y - 6 - height, y + 6] : [y - height / 2]
    return tops.map((top) => ({ left: x - width / 2, right: x + width / 2, top, bottom: top + height }))
  }
  // Where there is no room for all of it, for its beginning.
  const texts = [MOST_LINES, 2, 1].map((most) =>
    lines.length <= most ? lines : [...lines.slice(0, most - 1), `${lines[most - 1]} …`],
  )
  const placed = texts.flatMap((text) => {
    const width = Math.max(...text.map((line) => line.length)) * LETTER
    return [0.5, 0.56, 0.44, 0.62, 0.38, 0.68, 0.32]
      .flatMap((t) => boxesAt(t, text, width))
      .map((box) => ({ text, box }))
  })
  const { text: shown, box } =
    placed.find((each) => !taken.some((other) => overlap(each.box, other))) ??
    (placed.at(-1) as { text: string[]; box: Box })
  taken.push(box)
  const x = rounded((box.left + box.right) / 2)
  const label = html`<g class="cable">${title}${shown.map((text, line) => {
    const y = box.top + (line + 1) * LINE - 3
    return html`${level ? NOTHING : backdrop(Number(x), y, text, 'middle')}
      <text class="small" x="${x}" y="${rounded(y)}">${text}</text>`
  })}</g>
`
  return { way, label, bend }
}

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

function boxOf({ name, x, y }: Place): Box {
  const half = widthOf(name) / 2
  return { left: x - half, right: x + half, top: y - NODE_HEIGHT / 2, bottom: y + NODE_HEIGHT / 2 + LINE }
}

/** Lines that fit between two columns; `mirrored` when the first node stands on the right. */
function labelOf(link: LinkSpec, mirrored: boolean): string[] {
  const forward = directionTexts(link, 'forward')
  const back = directionTexts(link, 'back')
  const shared = forward.filter((text) => back.includes(text))
  const own = (texts: readonly string[], arrow: string) => {
    const rest = texts.filter((text) => !shared.includes(text))
    return rest.length === 0 ? [] : wrapped(rest, `${arrow} `)
  }
  const [there, here] = mirrored ? ['←', '→'] : ['→', '←']
  return [
    ...(link.name === undefined ? [] : [link.name]),
    ...wrapped([`MTU ${link.mtu ?? 1500}`, ...shared], ''),
    ...own(forward, there),
    ...own(back, here),
  ]
}

function wrapped(texts: readonly string[], start: string): string[] {
  const lines: string[] = []
  let line = start
  for (const [index, text] of texts.entries()) {
    const last = index === texts.length - 1
    const more = `${text}${last ? '' : ', '}`
    if (line.length > start.length && line.length + text.length > LABEL) {
      lines.push(line.trimEnd())
      line = ''
    }
    line += more
  }
  return [...lines, line]
}
