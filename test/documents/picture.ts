/** The drawings of a report, as a picture of its own. */

const NUMBER = '([-.\\d]+)'
const TOPOLOGY = new RegExp(
  `<svg class="topology"[^>]*viewBox="${NUMBER} ${NUMBER} ${NUMBER} ${NUMBER}"[^>]*>([\\s\\S]*?)</svg>`,
)
const LADDER = new RegExp(
  'aria-label="Packet ladder"><div class="names"[^>]*>([\\s\\S]*?)</div>' +
    `<svg width="${NUMBER}" height="${NUMBER}"[^>]*>([\\s\\S]*?)</svg>`,
)
const NAME = /<span style="left:([-.\d]+)px;"[^>]*>([^<]*)<\/span>/g
const ALTERNATIVE = 'role="img" aria-label="A network and the ladder of its packets"'
/** Above the ladder's lines. */
const NAMES = 26

/** The topology of a page that `--report` wrote, and its first ladder below. */
export function pictureOf(report: string): string {
  const [, left = '0', top = '0', wide = '0', high = '0', drawn = ''] = TOPOLOGY.exec(report) ?? []
  const [, names = '', width = '0', height = '0', ladder = ''] = LADDER.exec(report) ?? []
  if (drawn === '' || ladder === '') throw new Error('the report has no drawings')
  const scale = Math.min(1, Number(width) / Number(wide))
  const below = Math.round(Number(high) * scale) + 24
  const x = Math.round((Number(width) - Number(wide) * scale) / 2)
  const place = `translate(${x} 12) scale(${scale}) translate(${-Number(left)} ${-Number(top)})`
  const columns = [...names.matchAll(NAME)].map(
    ([, at, name]) => `<text class="column" x="${at}" y="16">${name}</text>`,
  )
  const picture = [
    `<svg xmlns="http://www.w3.org/2000/svg" ${ALTERNATIVE} viewBox="0 0 ${width} ${below + NAMES + Number(height)}">`,
    `<style>${rulesOf(report)}</style><rect class="ground" width="100%" height="100%"/>`,
    `<g class="topology" transform="${place}">${drawn}</g>`,
    `<g class="ladder" transform="translate(0 ${below})">${columns.join('')}`,
    `<g transform="translate(0 ${NAMES})">${ladder}</g></g></svg>`,
  ]
  return `${asXml(picture.join(''))}\n`
}

/** Attributes have values there; more than two digits behind the point are nothing to see. */
function asXml(text: string): string {
  const tags = text.replace(/<[a-z][^>]*>/gi, (tag) =>
    tag.replace(/ [\w:-]+(="[^"]*")?/g, (each, value) => (value ? each : '')),
  )
  return tags.replace(/-?\d+\.\d{3,}(?:e-\d+)?/g, (number) => `${Number(Number(number).toFixed(2))}`)
}

/** What the report's style says of its drawings, a line each; light, and dark where that is asked for. */
function rulesOf(report: string): string {
  const css = /<style>([\s\S]*?)<\/style>/.exec(report)?.[1] ?? ''
  const light = /:root\{([^}]*)\}/.exec(css)?.[1]
  const dark = /:root\[data-theme="dark"\]\{([^}]*)\}/.exec(css)?.[1]
  if (light === undefined || dark === undefined) throw new Error('the report has no colours')
  const drawing = /^(svg text|\.words|\.node|\.cable|\.small|\.grip|\.ladder \.|\.arrow|\.drop)/
  const interactive = /:hover|:focus|selected|\.from|\.names/
  const rules = [...css.matchAll(/(?<=[{}])([^{}@]+)\{([^{}]*)\}/g)].flatMap(([rule, selectors = '']) =>
    drawing.test(selectors) && !interactive.test(selectors) && !rule.includes('CanvasText') ? [rule] : [],
  )
  const flows = Object.entries(IN_THE_DARK).map(([one, other]) => `[stroke="${one}"]{stroke:${other}}`)
  return [
    `:root{${light}}`,
    `@media (prefers-color-scheme:dark){:root{${dark}}${flows.join('')}}`,
    'svg{font-family:system-ui,"Liberation Sans","DejaVu Sans",sans-serif}.ground{fill:var(--paper)}path{fill:none}',
    ...rules,
    '.topology text,.column{text-anchor:middle}.column{font-weight:600}',
  ].join('\n')
}

/** Colours of flows that the picture's lines have, and what they are on dark ground. */
const IN_THE_DARK = { '#0072b2': '#56b4e9', '#009e73': '#1fc391', '#cc79a7': '#e39cc6', '#77776f': '#9a9a94' }
