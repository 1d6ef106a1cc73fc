/**
 * What the page knows. The document (text, places), the run and the time are the whole of it: views
 * are functions of these.
 */
import { computed, signal } from '@preact/signals'
import type { Scenario, Schema } from '../../../src/network/index.ts'
import type { Program, TextFault, Topology } from '../protocol.ts'
import type { Difference } from './difference.ts'
import type { RunModel } from './model.ts'

export type Selection =
  | { readonly kind: 'packet'; readonly id: number }
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'cable'; readonly index: number }
  | { readonly kind: 'flow'; readonly index: number }
  | null

export const VIEWS = ['ladder', 'flows', 'plots', 'log', 'yaml', 'terminal'] as const
export type View = (typeof VIEWS)[number]

/** Where a node was put by hand. */
export type Places = Readonly<Record<string, readonly [number, number]>>

export const text = signal('')
/** The last text without an error: what the drawing shows, and what is run. */
export const goodText = signal('')
export const places = signal<Places>({})
export const scenario = signal<Scenario>({})
export const topology = signal<Topology>({ nodes: [], cables: [] })
export const fault = signal<TextFault | null>(null)
export const schema = signal<Schema | null>(null)

export const model = signal<RunModel | null>(null)
/** What the last change has made of the run. */
export const difference = signal<Difference | null>(null)
export const isRunning = signal(false)
export const progress = signal(0)
export const seed = signal<string | null>(null)
export const until = signal<number | null>(null)
/** Lines of terminals and code of hosts, which are a part of the run. */
export const programs = signal<readonly Program[]>([])

export const time = signal(0)
/** The time for what need not be drawn for each picture. */
export const calmTime = signal(0)
export const isPlaying = signal(false)
/** Milliseconds of simulated time for a second. */
export const speed = signal(10)

export const selection = signal<Selection>(null)
export const view = signal<View>('ladder')
/** On a small screen one part is shown at a time. */
export const part = signal<'network' | 'views' | 'inspector'>('network')
/** What the last click in the drawing was for. */
export const tool = signal<string | null>(null)
/** The node from which a cable, or a flow, is about to be drawn. */
export const connecting = signal<string | null>(null)

export const notice = signal('')
export const dialog = signal<'labs' | 'palette' | 'help' | 'flow' | null>(null)

export const duration = computed(() => model.value?.end ?? 0)

/** Whether the page is a report: nothing of the network can be chosen or changed. */
export const isFrozen = signal(false)

export const theme = signal<'light' | 'dark'>('light')

/** The cable that a lab begins with: to be changed first. */
export const lit = signal<number | null>(null)

/** The lab that is open, and how far. */
export const lab = signal<{ readonly id: string; readonly step: number } | null>(null)
