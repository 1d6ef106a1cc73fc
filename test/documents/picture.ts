/** The drawings of a report, as a picture of its own. */

const NUMBER = '([-.\\d]+)'
const TOPOLOGY = new RegExp(
  `<svg class="topology"\\s+viewBox="${NUMBER} ${NUMBER} ${NUMBER} ${NUMBER}"[^>]*>([\\s\\S]*?)</svg>`,
)
const LADDER = new RegExp(
  '<svg class="names"[^>]*>([\\s\\S]*?)</svg>\\s*' +
    `<svg width="${NUMBER}" height="${NUMBER}"[^>]*aria-label="Packet ladder">([\\s\\S]*?)</svg>`,
)
const ALTERNATIVE = 'role="img" aria-label="A network and the ladder of its packets"'

/** The topology of a page that `--report` wrote, and its first ladder below. */
export function pictureOf(report: string): string {
  const [, left = '0', top = '0', wide = '0', high = '0', drawn = ''] = TOPOLOGY.exec(report) ?? []
  const [, names = '', width = '0', height = '0', ladder = ''] = LADDER.exec(report) ?? []
  if (drawn === '' || ladder === '') throw new Error('the report has no drawings')
  const scale = Math.min(1, Number(width) / Number(wide))
  const below = Math.round(Number(high) * scale) + 24
  const x = Math.round((Number(width) - Number(wide) * scale) / 2)
  const place = `translate(${x} 12) scale(${scale}) translate(${-Number(left)} ${-Number(top)})`
  const picture = [
    `<svg xmlns="http://www.w3.org/2000/svg" ${ALTERNATIVE} viewBox="0 0 ${width} ${below + 34 + Number(height)}">`,
    `<style>${rulesOf(report)}</style><rect class="ground" width="100%" height="100%"/>`,
    `<g class="topology" transform="${place}">${drawn}</g>`,
    `<g class="ladder" transform="translate(0 ${below})"><g class="names">${names}</g>`,
    `<g transform="translate(0 34)">${ladder}</g></g></svg>`,
  ]
  return `${picture.join('').replace(/>\s+</g, '><')}\n`
}

/** The rules of the report's style that its drawings use, a line each; those of the page are left out. */
function rulesOf(report: string): string {
  const css = /<style>([\s\S]*?)<\/style>/.exec(report)?.[1] ?? ''
  const own = css.slice(css.indexOf(':root {')).replace(/\s+/g, ' ')
  const rules = own.match(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|[^{}]+\{[^{}]*\}/g) ?? []
  const drawing =
    /^\s*(:root|svg|\.(topology|backdrop|c\d|other|lifelines|times|frame|fragment|copy|what|drop)\b|@media \(prefers-)/
  const kept = rules.filter((rule) => drawing.test(rule)).map((rule) => rule.trim())
  kept.push('.ladder .names { font-weight: 600; font-size: 13px; text-anchor: middle; } .ground { fill: var(--bg); }')
  return kept.join('\n')
}
