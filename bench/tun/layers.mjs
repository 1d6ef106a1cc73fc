/**
 * Where a process spends its time, by layer of the stack: a CPU profile of this very process, its
 * samples added up by where their function lives.
 */
import { Session } from 'node:inspector'

/**
 * Of a node of the profile. Builtins and system calls, which have no file, count for their caller.
 */
function layerOf({ callFrame: { functionName, url } }, caller) {
  if (functionName === '(idle)') return 'idle'
  if (functionName === '(garbage collector)') return 'garbage collector'
  if (url === '') return functionName.startsWith('(') ? 'Node' : caller
  if (url.endsWith('/dist/link/device/tun-frames.js') && (functionName === 'read' || functionName === 'write'))
    return `system call ${functionName}`
  const dist = /\/dist\/([\w-]+)\//.exec(url)
  if (dist !== null) return dist[1]
  if (url.startsWith('wasm:')) return 'base'
  return url.endsWith('/server.mjs') ? 'program' : 'Node'
}

/**
 * Profiles from now on; the returned function stops, and gives nanoseconds by layer. Both work
 * without a turn of the event loop.
 */
export function profile() {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: 200 })
  session.post('Profiler.start')
  return () => {
    let sums = {}
    session.post('Profiler.stop', (_error, { profile }) => {
      sums = addUp(profile)
    })
    session.disconnect()
    return sums
  }
}

function addUp(profile) {
  const layers = new Map()
  const callers = new Map()
  // Callers come before the functions they call.
  for (const node of profile.nodes) {
    layers.set(node.id, layerOf(node, callers.get(node.id)))
    for (const child of node.children ?? []) callers.set(child, layers.get(node.id))
  }
  const sums = {}
  for (const [i, id] of profile.samples.entries()) {
    const layer = layers.get(id)
    sums[layer] = (sums[layer] ?? 0) + profile.timeDeltas[i] * 1000
  }
  return sums
}
