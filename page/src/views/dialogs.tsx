/** What lies over the page: the gallery, all commands, the keys, a new flow. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { say } from '../state/actions.ts'
import { COMMANDS } from '../state/commands.ts'
import { addFlow } from '../state/drawing.ts'
import { doneSteps, LABS, openLab } from '../state/labs.ts'
import * as state from '../state/state.ts'

export function Dialogs() {
  switch (state.dialog.value) {
    case 'labs':
      return <Gallery />
    case 'palette':
      return <Palette />
    case 'help':
      return <Help />
    case 'flow':
      return <FlowForm />
    default:
      return null
  }
}

function close(): void {
  state.dialog.value = null
}

function Dialog({ title, children, wide = false }: { title: string; children: ComponentChildren; wide?: boolean }) {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    element.current?.showModal()
  }, [])
  return (
    <dialog
      ref={element}
      class={wide ? 'wide' : ''}
      aria-label={title}
      onClose={close}
      onClick={(event) => {
        if (event.target === element.current) close()
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" onClick={close} aria-label="close">
          ✕
        </button>
      </header>
      {children}
    </dialog>
  )
}

function Gallery() {
  const done = doneSteps()
  return (
    <Dialog title="Labs" wide>
      <ul class="gallery">
        {LABS.map(({ id, title, about, steps }) => {
          const count = steps.filter((_, index) => done[id]?.includes(index)).length
          return (
            <li key={id}>
              <button
                type="button"
                onClick={() => {
                  close()
                  openLab(id).catch((error: Error) => say(error.message))
                }}
              >
                <b>{title}</b>
                <span>{about}</span>
                <span class="muted">
                  {steps.map((step, index) => (
                    <i class={done[id]?.includes(index) === true ? 'done' : ''} key={step.question} />
                  ))}{' '}
                  {count} of {steps.length}
                </span>
              </button>
            </li>
          )
        })}
      </ul>
    </Dialog>
  )
}

function Palette() {
  const query = useSignal('')
  const place = useSignal(0)
  const found = COMMANDS().filter(({ name }) => name.toLowerCase().includes(query.value.toLowerCase()))
  const run = (index: number) => {
    const command = found[index]
    if (command === undefined) return
    close()
    void command.run()
  }
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      const step = event.key === 'ArrowDown' ? 1 : -1
      place.value = (place.value + step + found.length) % Math.max(1, found.length)
    } else if (event.key === 'Enter') {
      event.preventDefault()
      run(place.value)
    }
  }
  return (
    <Dialog title="Commands">
      <input
        class="search"
        autofocus
        role="combobox"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={`command-${place.value}`}
        aria-label="Find a command"
        placeholder="Find a command"
        value={query.value}
        onInput={(event) => {
          query.value = event.currentTarget.value
          place.value = 0
        }}
        onKeyDown={keys}
      />
      <ul class="commands" id="commands" role="listbox" aria-label="Commands">
        {found.map(({ name, key }, index) => (
          <li
            key={name}
            id={`command-${index}`}
            role="option"
            aria-selected={index === place.value}
            onClick={() => run(index)}
            onPointerEnter={() => (place.value = index)}
          >
            {name} {key === undefined ? null : <kbd>{key}</kbd>}
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

function Help() {
  return (
    <Dialog title="Keys">
      <dl class="keys">
        {COMMANDS()
          .filter(({ key }) => key !== undefined)
          .map(({ name, key }) => (
            <div key={name}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{name}</dd>
            </div>
          ))}
      </dl>
      <p class="muted">
        Tab walks the nodes and cables of the drawing in reading order; Enter selects, <kbd>c</kbd> at a node begins and
        ends a cable. The log has everything as text.
      </p>
    </Dialog>
  )
}

function FlowForm() {
  const nodes = state.topology.value.nodes.filter(({ nics }) => nics.length > 0)
  const hosts = nodes.filter(({ kind }) => kind === 'host')
  const from = useSignal(hosts[0]?.name ?? nodes[0]?.name ?? '')
  const to = useSignal(hosts.at(-1)?.name ?? nodes.at(-1)?.name ?? '')
  const size = useSignal(1000)
  const rate = useSignal(10)
  const cut = useSignal('want')
  const ends = [
    ['from', from],
    ['to', to],
  ] as const
  const submit = async (event: Event) => {
    event.preventDefault()
    const flow = { from: from.value, to: to.value, size: size.value, rate: rate.value, dontFragment: cut.value }
    if (await addFlow(flow)) close()
  }
  return (
    <Dialog title="A flow of datagrams">
      {nodes.length < 2 ? <p>A flow needs two hosts with cables.</p> : null}
      <form class="form" onSubmit={(event) => void submit(event)}>
        {ends.map(([name, end]) => (
          <div class="field" key={name}>
            <label for={`flow-${name}`}>{name}</label>
            <select
              id={`flow-${name}`}
              autofocus={name === 'from'}
              value={end.value}
              onChange={(event) => (end.value = event.currentTarget.value)}
            >
              {nodes.map((node) => (
                <option value={node.name} key={node.name}>
                  {node.name}
                </option>
              ))}
            </select>
          </div>
        ))}
        <div class="field">
          <label for="flow-size">bytes of payload</label>
          <input
            id="flow-size"
            type="number"
            min="8"
            max="65507"
            value={size.value}
            onInput={(event) => (size.value = event.currentTarget.valueAsNumber)}
          />
        </div>
        <div class="field">
          <label for="flow-rate">datagrams a second</label>
          <input
            id="flow-rate"
            type="number"
            min="0.01"
            step="any"
            value={rate.value}
            onInput={(event) => (rate.value = event.currentTarget.valueAsNumber)}
          />
        </div>
        <div class="field">
          <label for="flow-cut">Don’t Fragment</label>
          <select id="flow-cut" value={cut.value} onChange={(event) => (cut.value = event.currentTarget.value)}>
            <option value="off">off: routers may cut</option>
            <option value="want">want: discover the MTU</option>
            <option value="do">do: never cut</option>
            <option value="probe">probe: as do, and ignore the MTU</option>
          </select>
        </div>
        <p>
          <button type="submit" class="primary" disabled={nodes.length < 2}>
            add the flow
          </button>
        </p>
      </form>
    </Dialog>
  )
}
