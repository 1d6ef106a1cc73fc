// What Chromium's own trace says of a page: paints, frames, long tasks, memory.

/** Runs `work` under a trace; the browser's events of it. `cdp` is a session of the browser. */
export async function traced(cdp, traceConfig, work) {
  const events = []
  const take = ({ value }) => events.push(...value)
  cdp.on('Tracing.dataCollected', take)
  await cdp.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig })
  try {
    await work()
  } finally {
    const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve))
    await cdp.send('Tracing.end')
    await complete
    cdp.off('Tracing.dataCollected', take)
  }
  return events
}

/** Milliseconds from the navigation to what has a name, in the process that has navigated. */
export function since(events, name) {
  const begun = events.filter(
    (each) => each.name === 'navigationStart' && each.args.data?.isOutermostMainFrame !== false,
  )
  const end = events.find((each) => each.name === name)
  const start = begun.findLast(({ pid, ts }) => pid === end?.pid && ts <= end.ts)
  return end === undefined || start === undefined ? null : (end.ts - start.ts) / 1000
}

/** Callbacks of one frame run one after the other: what begins so soon after one is of the same. */
const SAME_FRAME = 500

/**
 * Milliseconds that frames are apart, and that the page's own work for each takes: of the processor,
 * not of the clock, for a machine that is busy is not the page's fault.
 */
export function frames(events) {
  const drawn = events.filter(({ name }) => name === 'FireAnimationFrame')
  const pid = mostOf(drawn.map((each) => each.pid))
  const found = []
  for (const { ts, dur = 0, tdur = dur } of drawn
    .filter((each) => each.pid === pid)
    .sort((one, other) => one.ts - other.ts)) {
    const last = found.at(-1)
    if (last !== undefined && ts - last.end < SAME_FRAME) {
      last.end = ts + dur
      last.work += tdur
    } else found.push({ begin: ts, end: ts + dur, work: tdur })
  }
  return {
    apart: found.slice(1).map(({ begin }, index) => (begin - found[index].begin) / 1000),
    work: found.map(({ work }) => work / 1000),
  }
}

function mostOf(values) {
  const counts = new Map()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
}

/** Milliseconds of the longest task of the main thread of any page. */
export function longestTask(events) {
  const threads = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  )
  let longest = 0
  for (const { name, pid, tid, dur = 0 } of events)
    if (name === 'RunTask' && threads.has(`${pid} ${tid}`)) longest = Math.max(longest, dur / 1000)
  return longest
}

/** Bytes of the private memory of processes, by pid: each value that the trace has, in order of time. */
export function memory(events) {
  const found = new Map()
  for (const { name, pid, ts, args } of [...events].sort((a, b) => a.ts - b.ts)) {
    const total = args?.dumps?.process_totals?.private_footprint_bytes
    if (name === undefined || total === undefined) continue
    const values = found.get(pid) ?? []
    found.set(pid, values)
    values.push({ ts, bytes: Number.parseInt(total, 16) })
  }
  return found
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
