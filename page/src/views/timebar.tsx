/** The time bar: play, step, speed, and the whole run as a strip on which the cursor is moved. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { hop, play, run, SPEEDS, step, stopRun } from '../state/actions.ts'
import { seek } from '../state/cursor.ts'
import * as state from '../state/state.ts'
import { spanText, timeText } from './words.ts'

export function TimeBar() {
  const playing = state.isPlaying.value
  const end = state.duration.value
  return (
    <section class="timebar" aria-label="Time">
      <div class="buttons">
        <button type="button" aria-label="to the start" title="to the start (Home)" onClick={() => seek(0)}>
          |◀
        </button>
        <button
          type="button"
          aria-label="an event back"
          title="an event back (←; with shift: of this datagram)"
          onClick={(event) => (event.shiftKey ? hop(-1) : step(-1))}
        >
          ◀
        </button>
        <button type="button" class="play" aria-label={playing ? 'pause' : 'play'} title="play (space)" onClick={play}>
          {playing ? '❚❚' : '▶'}
        </button>
        <button
          type="button"
          aria-label="an event on"
          title="an event on (→; with shift: of this datagram)"
          onClick={(event) => (event.shiftKey ? hop(1) : step(1))}
        >
          ▶|
        </button>
        <label>
          <span class="hidden">speed</span>
          <select
            value={state.speed.value}
            title="simulated time for a second"
            onChange={(event) => (state.speed.value = Number(event.currentTarget.value))}
          >
            {SPEEDS.map((speed) => (
              <option value={speed} key={speed}>
                {spanText(speed)} a second
              </option>
            ))}
          </select>
        </label>
      </div>
      <Strip />
      <div class="now">
        <Clock /> <span class="muted">of {spanText(end)}</span>
      </div>
      <RunControls />
    </section>
  )
}

function Clock() {
  const element = useRef<HTMLOutputElement>(null)
  useSignalEffect(() => {
    if (element.current !== null) element.current.textContent = `${timeText(state.time.value)} ms`
  })
  return <output ref={element} aria-label="time" aria-live="off" />
}

function RunControls() {
  const { isRunning, progress, seed, until } = state
  const given = state.scenario.value.seed ?? 1
  return (
    <div class="run">
      {isRunning.value ? (
        <span class="running">
          {spanText(progress.value)} are run{' '}
          <button type="button" onClick={stopRun}>
            stop
          </button>
        </span>
      ) : null}
      <label title="All chance comes from it: the same seed gives the same bytes">
        seed{' '}
        <input
          size={4}
          placeholder={`${given}`}
          value={seed.value ?? ''}
          onChange={(event) => {
            seed.value = event.currentTarget.value.trim() || null
            void run()
          }}
        />
      </label>
      <label title="Milliseconds at which the run ends">
        until{' '}
        <input
          size={5}
          inputMode="numeric"
          placeholder="end"
          value={until.value ?? ''}
          onChange={(event) => {
            const time = Number(event.currentTarget.value)
            until.value = event.currentTarget.value.trim() === '' || !(time > 0) ? null : time
            void run()
          }}
        />
      </label>
    </div>
  )
}

/** How much happens when, drops in their own colour, under a range that moves the cursor. */
function Strip() {
  const canvas = useRef<HTMLCanvasElement>(null)
  const range = useRef<HTMLInputElement>(null)
  const width = useSignal(300)
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement
    const observer = new ResizeObserver(() => {
      width.value = element.clientWidth
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useSignalEffect(() => {
    const model = state.model.value
    void state.theme.value
    const element = canvas.current as HTMLCanvasElement
    const ratio = globalThis.devicePixelRatio
    element.width = width.value * ratio
    if (model === null || state.duration.value === 0) return
    const height = element.clientHeight
    element.height = height * ratio
    const context = element.getContext('2d') as CanvasRenderingContext2D
    context.scale(ratio, ratio)
    const bins = new Float64Array(Math.max(1, Math.floor(width.value / 2)))
    const bad = new Float64Array(bins.length)
    const place = (time: number) => Math.min(bins.length - 1, Math.floor((time / state.duration.value) * bins.length))
    for (const time of model.run.frames.start) bins[place(time)] = (bins[place(time)] as number) + 1
    for (const { time } of model.drops) bad[place(time)] = (bad[place(time)] as number) + 1
    const most = Math.max(1, ...bins)
    const style = getComputedStyle(element)
    const paint = (values: Float64Array, color: string, most: number, least: number) => {
      context.fillStyle = color
      for (const [index, value] of values.entries()) {
        const tall = value === 0 ? 0 : Math.max(least, (value / most) * (height - 4))
        context.fillRect(index * 2, height - tall, 1.5, tall)
      }
    }
    paint(bins, style.getPropertyValue('--line-strong'), most, 1)
    for (const [id, change] of state.difference.value?.datagrams ?? []) {
      context.fillStyle = style.getPropertyValue(change === 'lost' ? '--bad' : '--good')
      context.fillRect(place(model.run.datagrams.time[id - 1] as number) * 2, 0, 1.5, 4)
    }
    paint(bad, style.getPropertyValue('--bad'), Math.max(most, ...bad), 2.5)
  })
  useSignalEffect(() => {
    const element = range.current as HTMLInputElement
    element.max = `${state.duration.value}`
    element.setAttribute('aria-valuetext', `${timeText(state.calmTime.value)} milliseconds`)
  })
  useSignalEffect(() => {
    void state.duration.value
    ;(range.current as HTMLInputElement).value = `${state.time.value}`
  })
  return (
    <div class="strip">
      <canvas ref={canvas} aria-hidden="true" />
      <input
        ref={range}
        type="range"
        min="0"
        step="any"
        aria-label="time"
        onInput={(event) => {
          state.isPlaying.value = false
          seek(Number(event.currentTarget.value))
        }}
        onKeyDown={(event) => {
          // The arrows go by events, as everywhere.
          if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') event.preventDefault()
        }}
      />
    </div>
  )
}
