/**
 * Plots: tables of their numbers, which a script in the page draws with uPlot. Without scripts the
 * tables remain.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { html, Markup, NOTHING } from './markup.ts'

export interface Line {
  readonly name: string
  /** Its number in the palette, which begins anew after the last. */
  readonly color: number
  readonly dashed?: boolean
  readonly values: readonly (number | null)[]
  /** The ends of an interval around each value. */
  readonly low?: readonly (number | null)[]
  readonly high?: readonly (number | null)[]
  /** Whether the interval is drawn as bars, not as a band. */
  readonly bars?: boolean
}

export interface Plot {
  readonly title: string
  readonly note: string
  readonly xLabel: string
  readonly yLabel: string
  /** Numbers, or names that are placed side by side. */
  readonly x: readonly (number | string)[]
  readonly lines: readonly Line[]
  /** Plots of a group share cursor and zoom. */
  readonly group?: 'time'
}

export function plotHtml({ title, note, xLabel, yLabel, x, lines, group }: Plot): Markup {
  const named = x.some((each) => typeof each === 'string')
  const columns = lines.flatMap(({ name, color, dashed = false, bars = false, ...line }) =>
    (['values', 'low', 'high'] as const).flatMap((role) => {
      const values = line[role]
      if (values === undefined) return []
      const label = { values: name, low: `${name}, least`, high: `${name}, most` }[role]
      return [{ label, role, values, color, dashed, bars }]
    }),
  )
  return html`<figure class="plot" data-x="${xLabel}" data-y="${yLabel}" data-group="${group ?? ''}">
<figcaption><h3>${title}</h3><p class="note">${note}</p></figcaption>
<div class="canvas"></div>
<details><summary>Numbers, ${yLabel}</summary><div class="scroll"><table>
<thead><tr><th scope="col">${xLabel}</th>${columns.map(
    ({ label, role, color, dashed, bars }) =>
      html`<th scope="col" data-role="${role}"
        data-color="${color}"${dashed ? html` data-dashed` : NOTHING}
        ${bars ? html`data-bars` : NOTHING}>${label}</th>`,
  )}</tr></thead>
<tbody>${x.map(
    (each, row) =>
      html`<tr><th scope="row"${named ? html` data-at="${row}"` : NOTHING}>${each}</th>
        ${columns.map(({ values }) => html`<td>${short(values[row] ?? null)}</td>`)}</tr>
`,
  )}</tbody>
</table></div></details>
</figure>
`
}

/** Six digits. */
function short(value: number | null): string {
  return value === null ? '' : `${Number(value.toPrecision(6))}`
}

/**
 * uPlot's own files, and what draws with it, for the head and the end of a page. @throws {Error}
 * when the package is missing
 */
export function plotAssets(): { style: Markup; script: Markup } {
  const { resolve } = createRequire(import.meta.url)
  const asset = (name: string) => readFileSync(resolve(`uplot/dist/${name}`), 'utf8')
  return { style: new Markup(asset('uPlot.min.css')), script: new Markup(`${asset('uPlot.iife.min.js')}\n${DRAW}`) }
}

/** Runs in the page. Colours are read anew when the theme changes. */
const DRAW = `'use strict'
{
  const DASHES = [[], [6, 4], [2, 3]]
  const number = (cell) => (cell.textContent === '' ? null : Number(cell.textContent))
  const read = (figure) => {
    const rows = [...figure.querySelectorAll('tbody tr')]
    const names = rows.map(({ cells }) => cells[0].dataset.at === undefined ? null : cells[0].textContent)
    const x = rows.map(({ cells }) => Number(cells[0].dataset.at ?? cells[0].textContent))
    const lines = []
    ;[...figure.querySelectorAll('thead th')].slice(1).forEach((head, index) => {
      const values = rows.map(({ cells }) => number(cells[index + 1]))
      const { role, color } = head.dataset
      if (role === 'values')
        lines.push({ name: head.textContent, color: Number(color), values,
          dashed: 'dashed' in head.dataset, bars: 'bars' in head.dataset })
      else lines.at(-1)[role] = values
    })
    return { x, names: names.includes(null) ? null : names, lines }
  }

  /** The interval of each point of a line: a band around it, or bars. */
  const interval = (u, x, { low, high, bars }, stroke) => {
    const { ctx, bbox } = u
    const at = (i) => [u.valToPos(x[i], 'x', true), u.valToPos(low[i], 'y', true), u.valToPos(high[i], 'y', true)]
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    ctx.beginPath()
    if (bars) {
      const cap = 4 * devicePixelRatio
      for (let i = 0; i < x.length; i++) {
        if (low[i] === null || low[i] === high[i]) continue
        const [px, bottom, top] = at(i)
        ctx.moveTo(px, bottom)
        ctx.lineTo(px, top)
        for (const y of [bottom, top]) {
          ctx.moveTo(px - cap, y)
          ctx.lineTo(px + cap, y)
        }
      }
      ctx.strokeStyle = stroke
      ctx.lineWidth = devicePixelRatio
      ctx.stroke()
    } else {
      for (let from = 0; from < x.length; from++) {
        if (low[from] === null) continue
        let to = from
        while (to + 1 < x.length && low[to + 1] !== null) to++
        for (let i = from; i <= to; i++) ctx.lineTo(at(i)[0], at(i)[2])
        for (let i = to; i >= from; i--) ctx.lineTo(at(i)[0], at(i)[1])
        ctx.closePath()
        if (to < x.length - 1) {
          const next = at(to)
          ctx.moveTo(next[0], next[1])
        }
        from = to
      }
      ctx.globalAlpha = 0.2
      ctx.fillStyle = stroke
      ctx.fill()
    }
    ctx.restore()
  }

  const draw = (figure) => {
    const css = getComputedStyle(document.documentElement)
    const color = (name) => css.getPropertyValue(name).trim()
    const { x, names, lines } = read(figure)
    const box = figure.querySelector('.canvas')
    const strokes = lines.map((line) => color('--c' + (line.color % 8)))
    const axis = { stroke: color('--muted'), grid: { stroke: color('--grid'), width: 1 },
      ticks: { stroke: color('--grid'), width: 1 },
      font: '12px system-ui, sans-serif', labelFont: '12px system-ui, sans-serif' }
    /** The top of what is in sight. */
    const most = (u) => {
      let value = 0
      const [from, to] = u.series[0].idxs ?? [0, x.length - 1]
      lines.forEach(({ values, high }, index) => {
        if (!u.series[index + 1].show) return
        for (let i = from; i <= to; i++) value = Math.max(value, values[i] ?? 0, high?.[i] ?? 0)
      })
      return value
    }
    const width = (u, texts) => 24 + 7 * Math.max(1, ...(texts ?? []).map((text) => String(text).length))
    const pad = (x.at(-1) - x[0]) * (figure.dataset.group === 'time' ? 0.005 : 0.03) || 1
    const plain = (value) => (value === null || value === undefined ? '–' : String(Number(value.toPrecision(6))))
    const nameAt = (value) => names?.[value] ?? (names ? '' : plain(value))
    return new uPlot({
      width: Math.max(280, box.clientWidth),
      height: 260,
      scales: {
        x: { time: false,
          range: (u, from, to) => (from === x[0] && to === x.at(-1) ? [from - pad, to + pad] : [from, to]) },
        y: { range: (u) => [0, most(u) * 1.08 || 1] },
      },
      axes: [
        { ...axis, label: figure.dataset.x, labelSize: 20, size: 34, space: 80,
          ...(names ? { splits: () => x, values: (u, at) => at.map((i) => names[i]) }
          : { values: (u, at) => at.map((value) => plain(value)) }) },
        { ...axis, label: figure.dataset.y, labelSize: 20, size: width, space: 34,
          values: (u, at) => at.map((value) => plain(value)) },
      ],
      series: [
        { label: figure.dataset.x, value: (u, value) => (value === null ? '–' : nameAt(value)) },
        ...lines.map((line, index) => ({
          label: line.name,
          stroke: strokes[index],
          width: line.dashed ? 1 : 1.75,
          dash: line.dashed ? [4, 4] : DASHES[Math.floor(line.color / 8) % 3],
          spanGaps: false,
          points: line.bars ? { show: true, size: 6 } : {},
          value: (u, value) => plain(value),
        })),
      ],
      cursor: { y: false, ...(figure.dataset.group === '' ? {} : { sync: { key: figure.dataset.group } }) },
      hooks: { drawSeries: [(u, index) => { const line = lines[index - 1];
        if (line?.low && u.series[index].show) interval(u, x, line, strokes[index - 1]) }] },
    }, [x, ...lines.map(({ values }) => values)], box)
  }

  const figures = [...document.querySelectorAll('.plot')]
  let plots = figures.map(draw)
  const again = () => {
    for (const plot of plots) plot.destroy()
    plots = figures.map(draw)
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again)
  addEventListener('resize', () => plots.forEach((plot, i) =>
    plot.setSize({ width: Math.max(280, figures[i].querySelector('.canvas').clientWidth),
    height: 260 })))
}
`
