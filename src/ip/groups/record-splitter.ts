/** Group records into packets: RFC 9776 section 4.2.16, RFC 9777 section 5.2.15. */
import { type GroupRecord, RecordType } from './group-messages.ts'

/**
 * The records in as few lists as fit `room` bytes each; a record takes `header` bytes and `size`
 * for each source. One that is too long is cut into several, but a list of refused sources is cut
 * short: its parts would contradict each other.
 */
export function splitRecords(
  records: readonly GroupRecord[],
  room: number,
  header: number,
  size: number,
): GroupRecord[][] {
  const parts: GroupRecord[][] = []
  let part: GroupRecord[] = []
  let left = room
  const most = Math.floor((room - header) / size)
  for (const record of records) {
    const excludes = record.type === RecordType.IsExclude || record.type === RecordType.ToExclude
    const pieces = excludes || record.sources.length === 0 ? 1 : Math.ceil(record.sources.length / most)
    for (let piece = 0; piece < pieces; piece++) {
      const sources = record.sources.slice(piece * most, (piece + 1) * most)
      const length = header + sources.length * size
      if (length > left) {
        parts.push(part)
        part = []
        left = room
      }
      part.push({ ...record, sources })
      left -= length
    }
  }
  parts.push(part)
  return parts
}
