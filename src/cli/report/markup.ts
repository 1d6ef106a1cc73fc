/** HTML and SVG as text in which all that is put in is escaped, but for what is markup itself. */

export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Content = string | number | Markup | readonly Content[]

/** A template whose values are escaped; lists are joined. */
export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(strings.reduce((text, each, index) => text + textOf(values[index - 1] as Content) + each))
}

export const NOTHING = new Markup('')

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function textOf(value: Content): string {
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(textOf).join('')
  return `${value}`.replace(/[&<>"']/g, (each) => ENTITIES[each] as string)
}

/** Three decimals at most. */
export function rounded(value: number): string {
  return `${Number(value.toFixed(3))}`
}

/**
 * A background for a small text in a drawing, so that lines do not cross it; its baseline is at
 * `y`.
 */
export function backdrop(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): Markup {
  const width = text.length * 5.9 + 4
  const left = { start: x, middle: x - width / 2, end: x - width }[anchor]
  return html`<rect class="backdrop" x="${rounded(left)}" y="${rounded(y - 10)}"
    width="${rounded(width)}" height="13"/>`
}
