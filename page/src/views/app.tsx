/** The page: header, network, views, inspector, time. */

import { shortened } from '../draw/measures.ts'
import { newNetwork, switchTheme } from '../state/commands.ts'
import { chooseFile, openFile, saveCapture, saveScenario } from '../state/files.ts'
import { share } from '../state/link.ts'
import { record, savePicture } from '../state/picture.ts'
import * as state from '../state/state.ts'
import { Dialogs } from './dialogs.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { FlowsView } from './flows.tsx'
import { CablePanel, FlowPanel, NetworkPanel, NodePanel } from './forms.tsx'
import { LabPanel } from './lab-panel.tsx'
import { LadderView } from './ladder.tsx'
import { LogView } from './log.tsx'
import { PacketPanel } from './packet.tsx'
import { PlotsView } from './plots.tsx'
import { TerminalView } from './terminal.tsx'
import { TimeBar } from './timebar.tsx'
import { TopologyView } from './topology.tsx'
import { YamlView } from './yaml.tsx'

export function App() {
  const drop = (event: DragEvent) => {
    event.preventDefault()
    const [file] = event.dataTransfer?.files ?? []
    const node = (event.target as Element).closest<SVGElement>('[data-node]')?.dataset.node
    if (file !== undefined) void openFile(file, node)
  }
  return (
    <div class={`page show-${state.part.value}`} onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <Header />
      <main>
        <div class="left">
          <TopologyView />
          <Views />
        </div>
        <aside aria-label="Inspector">
          <LabPanel />
          <Inspector />
        </aside>
      </main>
      <TimeBar />
      <Notice />
      <Dialogs />
    </div>
  )
}

const PARTS = ['network', 'views', 'inspector'] as const

function Header() {
  const { name } = state.scenario.value
  return (
    <header class="top">
      <h1>
        tungram <span>{shortened(name ?? 'network', 60)}</span>
      </h1>
      <div class="parts" role="group" aria-label="Show">
        {PARTS.map((part) => (
          <button
            type="button"
            key={part}
            aria-pressed={state.part.value === part}
            onClick={() => (state.part.value = part)}
          >
            {part}
          </button>
        ))}
      </div>
      <nav aria-label="File">
        <button type="button" onClick={() => (state.dialog.value = 'labs')}>
          labs
        </button>
        <button type="button" onClick={() => void newNetwork()}>
          new
        </button>
        <button type="button" onClick={chooseFile}>
          open
        </button>
        <details class="menu">
          <summary>save</summary>
          <div>
            <button type="button" onClick={saveScenario}>
              scenario, YAML
            </button>
            <button type="button" onClick={() => void saveCapture()}>
              run, pcapng
            </button>
            <button type="button" onClick={() => void savePicture('svg')}>
              picture, SVG
            </button>
            <button type="button" onClick={() => void savePicture('png')}>
              picture, PNG
            </button>
            <button type="button" onClick={() => void record()}>
              video from here on
            </button>
          </div>
        </details>
        <button type="button" onClick={() => void share()}>
          share
        </button>
        <button type="button" onClick={() => (state.dialog.value = 'palette')} title="all commands">
          <kbd>⌘K</kbd>
        </button>
        <button type="button" onClick={switchTheme} aria-label="light or dark">
          ◐
        </button>
      </nav>
    </header>
  )
}

function Views() {
  const current = state.view.value
  return (
    <section class="views" aria-label="Views">
      <div class="tabs" role="tablist" aria-label="Views">
        {state.VIEWS.map((view) => (
          <button
            type="button"
            role="tab"
            key={view}
            id={`tab-${view}`}
            aria-controls="view"
            aria-selected={current === view}
            onClick={() => (state.view.value = view)}
          >
            {view}
            {view === 'yaml' && state.fault.value !== null ? <span class="bad"> ✕</span> : null}
          </button>
        ))}
      </div>
      <div class="view" role="tabpanel" id="view" aria-labelledby={`tab-${current}`}>
        <ErrorBoundary key={current}>
          {current === 'ladder' ? <LadderView /> : null}
          {current === 'flows' ? <FlowsView /> : null}
          {current === 'plots' ? <PlotsView /> : null}
          {current === 'log' ? <LogView /> : null}
          {current === 'yaml' ? <YamlView /> : null}
          {current === 'terminal' ? <TerminalView /> : null}
        </ErrorBoundary>
      </div>
    </section>
  )
}

function Inspector() {
  const selected = state.selection.value
  const model = state.model.value
  switch (selected?.kind) {
    case 'packet':
      return model === null || selected.id > model.run.datagrams.time.length ? null : (
        <PacketPanel id={selected.id} model={model} />
      )
    case 'node':
      return <NodePanel name={selected.name} key={selected.name} />
    case 'cable':
      return <CablePanel index={selected.index} key={selected.index} />
    case 'flow':
      return <FlowPanel index={selected.index} key={selected.index} />
    default:
      return <NetworkPanel />
  }
}

function Notice() {
  const text = state.notice.value
  return (
    <div class={`notice${text === '' ? ' nothing' : ''}`} role="status">
      {text}
      {text === '' ? null : (
        <button type="button" aria-label="dismiss" onClick={() => (state.notice.value = '')}>
          ✕
        </button>
      )}
    </div>
  )
}
