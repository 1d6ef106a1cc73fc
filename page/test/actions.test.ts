/** The document and its runs in Node: the worker is the engine in this process. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { noPackages } from '../../test/chromium.ts'
import { describeWith } from '../../test/skips.ts'
import type { Program, Request, RunRequest } from '../src/protocol.ts'
import { ScenarioEngine } from '../src/worker/engine.ts'
import { REQUIRED } from './browser.ts'

const HANGING = 'while (true);'
const PAIR = 'hosts: { h1: , h2: }\nlinks:\n  - { between: [h1, h2], delay: 1ms }\n'

/** Answers its calls one after the other; it runs no code, and {@link HANGING} lets it say nothing more. */
class WorkerHere extends EventTarget {
  readonly #engine = new ScenarioEngine(() => {})
  #last: Promise<unknown> = Promise.resolve()

  postMessage(request: Request): void {
    const { id, call, args } = structuredClone(request)
    this.#last = this.#last.then(async () => {
      if (call === 'run') await runsCode(args[0] as RunRequest)
      const method = this.#engine[call] as (...args: unknown[]) => unknown
      this.dispatchEvent(
        new MessageEvent('message', { data: { id, value: await method.apply(this.#engine, [...args]) } }),
      )
    })
  }

  terminate(): void {}
}

function runsCode(request: RunRequest & { programs?: readonly Program[] }): Promise<void> {
  const { programs = [] } = request
  Object.assign(request, { programs: programs.filter(({ code }) => code === undefined) })
  return programs.some(({ code }) => code === HANGING) ? new Promise(() => {}) : Promise.resolve()
}

describeWith(
  noPackages === '',
  noPackages,
  REQUIRED,
)('the document', () => {
  let actions: typeof import('../src/state/actions.ts')
  let drawing: typeof import('../src/state/drawing.ts')
  let layout: typeof import('../src/draw/layout.ts')
  let state: typeof import('../src/state/state.ts')
  beforeAll(async () => {
    vi.stubGlobal('Worker', WorkerHere)
    vi.stubGlobal('requestAnimationFrame', () => 0)
    actions = await import('../src/state/actions.ts')
    drawing = await import('../src/state/drawing.ts')
    layout = await import('../src/draw/layout.ts')
    state = await import('../src/state/state.ts')
  })
  afterEach(() => void vi.useRealTimers())
  afterAll(() => void vi.unstubAllGlobals())

  const names = () => state.topology.value.nodes.map(({ name }) => name)
  const hosts = () => state.programs.value.map(({ host }) => host)

  test('changes that overlap are made one after the other, each of what is there then', async () => {
    await actions.open({ text: 'hosts: { h1: }' })
    await Promise.all([drawing.addNode('host', [1, 2], new Map()), drawing.addNode('host', [3, 4], new Map())])
    expect(names()).toEqual(['h1', 'h2', 'h3'])
    expect(state.places.value).toEqual({ h2: [1, 2], h3: [3, 4] })
    const connected = ['h2', 'h3'].map((name) => {
      drawing.beginConnecting('h1')
      return drawing.connectTo(name)
    })
    await Promise.all(connected)
    expect(state.topology.value.cables.map(({ name }) => name)).toEqual(['h1-h2', 'h1-h3'])
    // A key that is pressed twice.
    state.selection.value = { kind: 'cable', index: 0 }
    await Promise.all([drawing.removeSelected(), drawing.removeSelected()])
    expect(state.topology.value.cables.map(({ name }) => name)).toEqual(['h1-h3'])
    const flow = { from: 'h1', to: 'h3', size: 100, rate: 10, dontFragment: 'want' }
    const back = { ...flow, from: 'h3', to: 'h1' }
    expect(await Promise.all([drawing.addFlow(flow), drawing.addFlow(back)])).toEqual([true, true])
    expect(state.scenario.value.flows?.map(({ to }) => to)).toEqual(['h3', 'h1'])
  })

  test('a change of a document is not made in one that was opened meanwhile', async () => {
    await actions.open({ text: 'hosts: { h1: }' })
    const [first, second] = [drawing.addNode('host'), drawing.addNode('router')]
    await actions.open({ text: PAIR })
    await Promise.all([first, second])
    expect(state.text.value).toBe(PAIR)
    expect(names()).toEqual(['h1', 'h2'])
  })

  test('a node that gets another name keeps its place and its programs, also when that is taken back', async () => {
    await actions.open({
      text: PAIR,
      places: { h1: [1, 2], h2: [3, 4] },
      programs: [{ host: 'h1', at: 0, line: 'ping -c 1 h2' }],
    })
    expect(await actions.edit([{ rename: 'h1', to: 'constructor' }])).toBe(true)
    expect(state.places.value).toEqual({ constructor: [1, 2], h2: [3, 4] })
    expect(hosts()).toEqual(['constructor'])
    expect(state.model.value?.run.said.length).toBeGreaterThan(0)
    await actions.undo()
    expect([hosts(), Object.keys(state.places.value)]).toEqual([['h1'], ['h1', 'h2']])
    await actions.redo()
    expect(hosts()).toEqual(['constructor'])
    // A name that every object has is no place.
    const places = [...layout.placesOf(state.topology.value, undefined, {}).values()]
    expect(places.flat().every(Number.isFinite)).toBe(true)
  })

  test('lines stand at the program that said them', async () => {
    const programs = ['ping -c 1 h2', 'help'].map((line) => ({ host: 'h1', at: 0, line }))
    await actions.open({ text: PAIR, programs })
    const [ping, help] = state.programs.value as [Program, Program]
    const first = (program: Program) => state.model.value?.saidBy(program, 1000)[0] ?? ''
    const before = [first(ping), first(help)]
    expect(before[0]).toContain('PING h2')
    expect(before[1]).not.toBe('')
    const removed = actions.removeProgram(ping)
    // The run without it is not there yet.
    expect(state.programs.value).toEqual([help])
    expect(first(help)).toBe(before[1])
    await removed
    expect([first(ping), first(help)]).toEqual(['', before[1]])
  })

  test('the last text without an error is what runs, also in a new worker', async () => {
    await actions.open({ text: PAIR })
    await actions.write('hosts: [')
    expect(state.fault.value?.line).toBe(1)
    actions.stopRun()
    state.seed.value = '9'
    await actions.run()
    expect(state.model.value?.request).toEqual({ text: PAIR, seed: 9 })
    expect(names()).toEqual(['h1', 'h2'])
  })

  test('code that never returns is taken out, and no other, whoever was told', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const good = { host: 'h1', at: 0, code: 'console.log(1)' }
    const hanging = { host: 'h1', at: 0, code: HANGING }
    await actions.open({ text: PAIR, programs: [good] })
    let added = actions.addProgram(hanging)
    await vi.advanceTimersByTimeAsync(5000)
    await added
    expect(state.programs.value).toEqual([good])
    expect(state.notice.value).toContain('It was taken out: the code on h1 at 0 ms.')
    // Somebody has taken it out already: the run without it waits behind that with it.
    added = actions.addProgram(hanging)
    const removed = actions.removeProgram(hanging)
    await vi.advanceTimersByTimeAsync(5000)
    await Promise.all([added, removed])
    expect(state.programs.value).toEqual([good])
    expect(state.isRunning.value).toBe(false)
    expect(state.model.value?.request.programs).toEqual([good])
  })
})
