/** A captured frame as `dump` and `demo` print it. */
import { type Description, describe, describeLine } from '../describe.ts'
import type { CapturedFrame } from '../link/pcapng.ts'

/** Bytes in front of the IP packet for the link types of tcpdump.org's registry that have one. */
const linkHeaders: Record<number, number> = { 0: 4, 12: 0, 14: 0, 101: 0, 108: 4, 113: 16, 228: 0, 229: 0, 276: 20 }
const ETHERNET = 1

/** Where the frame's description begins, and what it says; a link type that is not known is said to be so. */
export function describeFrame(frame: CapturedFrame): Description {
  const whole = frame.bytes.length === frame.originalLength
  if (frame.linkType === ETHERNET) return describe(frame.bytes, 'ethernet', whole)
  const header = linkHeaders[frame.linkType]
  if (header !== undefined) return describe(frame.bytes.subarray(header), 'ip', whole)
  const line = `link type ${frame.linkType}, ${frame.originalLength} bytes`
  return { layers: [{ name: 'frame', at: 0, length: frame.bytes.length, line, fields: [] }], drop: 'None' }
}

/** The frame's line; what the stack said of it comes last. */
export function frameLine(frame: CapturedFrame, description: Description): string {
  const cut = frame.bytes.length < frame.originalLength ? [`(${frame.bytes.length} of ${frame.originalLength} bytes kept)`] : []
  const comments = frame.comments.map((comment) => `(${comment})`)
  return [describeLine(description), ...cut, ...comments].join(' ')
}

/** A line for each field, headed by the layer's name and place. */
export function fieldLines(description: Description): string[] {
  return description.layers.flatMap(({ name, at, length, fields }) => {
    const width = Math.max(0, ...fields.map(([field]) => field.length))
    return [`  ${name}, ${length} bytes at ${at}`, ...fields.map(([field, value]) => `    ${field.padEnd(width)}  ${value}`)]
  })
}

/** Sixteen bytes a line: offset, hex, ASCII. */
export function hexLines(bytes: Uint8Array): string[] {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'))
    const text = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(
      `  ${at.toString(16).padStart(4, '0')}  ${hex.slice(0, 8).join(' ').padEnd(23)}  ${hex.slice(8).join(' ').padEnd(23)}  ${text}`,
    )
  }
  return lines
}
