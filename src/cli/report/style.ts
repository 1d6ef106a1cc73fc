/**
 * How a report looks, in light and dark, on screen and paper. Eight colours that people with
 * colour-blindness tell apart.
 */
import { Markup } from './markup.ts'

export const STYLE = new Markup(`
:root { color-scheme: light dark; --bg: #fff; --fg: #1c2024; --muted: #5c646c; --grid: #e3e6e9; --panel: #f5f7f8;
  --bad: #c4171f;
  --c0: #0b6bcb; --c1: #d9600a; --c2: #12855c; --c3: #a23b9c; --c4: #8a6d00; --c5: #0891a8; --c6: #b3261e;
  --c7: #5a5fd0; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171a; --fg: #e6e9ec; --muted: #9aa4ad; --grid: #2c3238;
  --panel: #1c2126; --bad: #ff6b6b;
  --c0: #58a6ff; --c1: #ff9a4d; --c2: #4cc38a; --c3: #e08bdb; --c4: #d9b93b; --c5: #4fd1e0; --c6: #ff8a80;
  --c7: #a5a8ff; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 1500px; background: var(--bg); color: var(--fg);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; } h2 { margin: 2.2rem 0 .6rem; font-size: 1.25rem; }
h3 { margin: 1.2rem 0 .2rem; font-size: 1rem; } h4 { margin: 1rem 0 .2rem; font-size: .9rem; }
p { margin: .4rem 0; max-width: 100ch; } .note, dt { color: var(--muted); font-size: .85rem; }
.note { margin: .1rem 0 .4rem; }
dl { display: flex; flex-wrap: wrap; gap: .4rem 2rem; margin: .8rem 0; }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.interrupted { padding: .4rem .8rem; border-left: 4px solid var(--bad); background: var(--panel); }
.scroll { overflow: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .45rem; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top;
  white-space: nowrap; }
thead th { color: var(--muted); font-weight: 500; } tbody th { font-weight: 600; }
th.number, td.number { text-align: right; }
details { margin: .5rem 0; font-size: .9rem; } summary { cursor: pointer; color: var(--muted); }
details .scroll { max-height: 24rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .5rem 0; font-size: .85rem;
  color: var(--muted); }
.legend span { display: inline-flex; align-items: center; gap: .4rem; }
.legend .line { width: 22px; border-top: 2px solid var(--line, var(--muted)); }
.legend .dashed { border-top-style: dashed; } .legend .dotted { border-top-style: dotted; }
.legend .drop { color: var(--bad); }
.legend .shape { width: 22px; height: 13px; border: 1.5px solid var(--muted); }
.legend .host { border-radius: 3px; } .legend .router { border-radius: 8px; } .legend .segment { width: 5px; }
${Array.from({ length: 8 }, (_, index) => `.c${index} { --line: var(--c${index}); }`).join(' ')}
.other { --line: var(--muted); }
svg { display: block; font: 12px system-ui, sans-serif; fill: var(--fg); }
svg text { paint-order: stroke; stroke: var(--bg); stroke-width: 3px; stroke-linejoin: round; }
.backdrop { fill: var(--bg); opacity: .88; }
.topology { max-width: none; } .topology text { text-anchor: middle; font-weight: 600; font-size: 14px; }
.topology .small { font-weight: 400; font-size: 11px; fill: var(--muted); }
.topology .node rect { fill: var(--panel); stroke: var(--fg); stroke-width: 1.5; }
.topology .node text:not(.small) { stroke: none; } .topology .segment rect { fill: var(--fg); }
.topology .router rect { stroke: var(--c0); } .topology .switch rect { stroke: var(--c2); }
.legend .router { border-color: var(--c0); } .legend .switch { border-color: var(--c2); }
.topology .cable path { fill: none; stroke: var(--muted); stroke-width: 1.5; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 540px), 1fr)); gap: .5rem 2rem; }
.plot { margin: 0; min-width: 0; }
.u-legend { font-size: 12px !important; text-align: left !important; }
.u-legend th { padding-right: 2px !important; } .u-legend td, .u-legend th { border: 0; white-space: nowrap; }
.u-select { background: color-mix(in srgb, var(--c0) 15%, transparent) !important; }
.ladder { max-height: 85vh; border: 1px solid var(--grid); border-radius: 4px; }
.ladder .names { position: sticky; top: 0; min-width: 100%; background: var(--panel); font-weight: 600;
  font-size: 13px; } .ladder .names text { text-anchor: middle; stroke: none; }
.lifelines path { stroke: var(--muted); stroke-width: 1.5; } .times path { stroke: var(--grid); }
.times text { text-anchor: end; fill: var(--muted); font-size: 11px; font-variant-numeric: tabular-nums; }
.frame path { fill: none; stroke: var(--line); stroke-width: 1.4; }
.frame .head { fill: var(--line); stroke-dasharray: none !important; } .fragment path { stroke-dasharray: 6 3; }
.copy path { stroke-dasharray: 1.5 3; }
.what { fill: var(--line); font-size: 11px; } .what.left { text-anchor: end; }
.drop path { stroke: var(--bad); stroke-width: 2.2; }
.drop text { fill: var(--bad); font-size: 11px; font-weight: 600; }
@media print { .ladder, details .scroll { max-height: none; } .ladder .names { position: static;
  } body { max-width: none; } }
`)
