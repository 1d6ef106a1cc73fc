/**
 * Text that came from outside, made safe to be shown: every character that would act on a terminal,
 * or hide, is shown as its escape.
 */

/**
 * Controls (C0, DEL, C1), line and paragraph separators, marks of direction and joining (which
 * reorder or hide what is around them), the byte order mark, interlinear annotation, tags, and
 * halves of surrogate pairs.
 */
const UNSAFE = new RegExp(
  '[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff' +
    '\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}\\ud800-\\udfff]',
  'gu',
)

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** One line of what is safe: `\n`, `\x1b`, `\u202e` stand for the characters themselves. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) as number
    const short = SHORT[character]
    if (short !== undefined) return short
    if (code < 0x100) return `\\x${hex(code, 2)}`
    return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`
  })
}

/**
 * JSON in one line. The same characters become JSON escapes, so that parsing gives the original
 * value.
 */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) => {
    let escaped = ''
    for (let i = 0; i < character.length; i++) escaped += `\\u${hex(character.charCodeAt(i), 4)}`
    return escaped
  })
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
