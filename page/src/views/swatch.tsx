/** The line of a flow, small: its colour and its dashes. */
import { flowColor, flowDash } from '../draw/palette.ts'

export function Swatch({ flow }: { flow: number }) {
  return (
    <svg class="swatch" width="22" height="10" aria-hidden="true">
      <path d="M0 5H22" stroke={flowColor(flow)} stroke-dasharray={flowDash(flow)} stroke-width="3" />
    </svg>
  )
}
