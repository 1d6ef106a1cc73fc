/** Colours of flows: Okabe and Ito's, which all eyes tell apart; dashes are the second channel. */
import { theme } from '../state/state.ts'

const FLOWS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#8a7f00', '#555555']
const DARK = ['#56b4e9', '#e69f00', '#1fc391', '#e39cc6', '#ff8a3d', '#8fd0ff', '#f0e442', '#bbbbbb']
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 4', '1 4', '6 2 1 2']

export function flowColor(flow: number): string {
  if (flow < 0) return theme.value === 'dark' ? '#9a9a94' : '#77776f'
  return (theme.value === 'dark' ? DARK : FLOWS)[flow % FLOWS.length] as string
}

export function flowDash(flow: number): string {
  return flow < 0 ? '' : (DASHES[flow % DASHES.length] as string)
}
