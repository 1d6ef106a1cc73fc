/**
 * Which bytes of one datagram are there: runs without a gap, and what a further fragment may do to
 * them.
 *
 * RFC 8200 section 4.5: "If any of the fragments being reassembled overlap with any other fragments
 * being reassembled for the same packet, reassembly of that packet must be abandoned and all the
 * fragments that have been received for that packet must be discarded, and no ICMP error messages
 * should be sent. It should be noted that fragments may be duplicated in the network. Instead of
 * treating these exact duplicate fragments as overlapping fragments, an implementation may choose
 * to detect this case and drop exact duplicate fragments while keeping the other fragments
 * belonging to the same packet."
 *
 * The rule came with RFC 5722; Linux keeps it in IPv4 too, and takes every fragment inside a run
 * for a duplicate (inet_frag_queue_insert).
 */
import { Drop } from '../../base/drop.ts'

/** Offsets are bytes of the fragmentable part. */
export interface FragmentRuns {
  /** How many there are: the arrays may be longer. */
  runs: number
  /** Where each run begins and ends, by offset. */
  runStarts: number[]
  runEnds: number[]
  /** Bytes of the whole; -1 as long as the last fragment has not come. */
  total: number
}

/** Arrays that are longer are not kept for the next datagram. */
export const MAX_KEPT_RUNS = 17

/**
 * Adds the fragment `[start, end)`, which is the last one if `isLast`.
 * @returns None, FragmentDuplicate (ignore the fragment) or FragmentOverlap (give up the datagram)
 */
export function addRun(runs: FragmentRuns, start: number, end: number, isLast: boolean): Drop {
  if (isLast) {
    // The last fragment tells the total: no fragment may lie beyond it, and it cannot change.
    if (end < lastEnd(runs) || (runs.total >= 0 && runs.total !== end)) return Drop.FragmentOverlap
    runs.total = end
  } else if (runs.total >= 0 && end > runs.total) return Drop.FragmentOverlap
  return insert(runs, start, end)
}

function insert(runs: FragmentRuns, start: number, end: number): Drop {
  const { runStarts, runEnds, runs: count } = runs
  const tail = lastEnd(runs)
  // Only the last run grows: in order, a datagram is one run.
  if (start === tail && count > 0) {
    runEnds[count - 1] = end
    return Drop.None
  }
  if (start >= tail) return insertAt(runs, count, start, end)
  // The first run that ends behind `start`: binary, because a sender may send backwards.
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if ((runEnds[middle] as number) <= start) low = middle + 1
    else high = middle
  }
  const runStart = runStarts[low] as number
  if (end <= runStart) return insertAt(runs, low, start, end)
  return start >= runStart && end <= (runEnds[low] as number) ? Drop.FragmentDuplicate : Drop.FragmentOverlap
}

function insertAt(runs: FragmentRuns, at: number, start: number, end: number): Drop {
  const { runStarts, runEnds } = runs
  for (let i = runs.runs++; i > at; i--) {
    runStarts[i] = runStarts[i - 1] as number
    runEnds[i] = runEnds[i - 1] as number
  }
  runStarts[at] = start
  runEnds[at] = end
  return Drop.None
}

function lastEnd({ runs, runEnds }: FragmentRuns): number {
  return runs === 0 ? 0 : (runEnds[runs - 1] as number)
}
