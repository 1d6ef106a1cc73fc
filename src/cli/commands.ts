/** The table of all commands. */
import type { Command, CommandTable } from './command-line.ts'
import { nearest } from './command-line.ts'

/** Loaded one at a time, so that a command starts without the others' code. */
function entry(summary: string, load: () => Promise<Command>) {
  return { summary, load }
}

export const commands: CommandTable = new Map(
  Object.entries({
    demo: entry('show the stack at work, in ten seconds', () => import('./demo.ts')),
    echo: entry('UDP echo service on a TUN device', () => import('./echo.ts')),
    recv: entry('receive datagrams from a TUN device', () => import('./recv.ts')),
    send: entry('send datagrams into a TUN device', () => import('./send.ts')),
    run: entry(
      'run a Node program on tungram, or any programs on the hosts of a scenario',
      () => import('./run-program.ts'),
    ),
    sim: entry('run a scenario file: a simulated network and who sends what', () => import('./sim.ts')),
    page: entry('serve the network laboratory, a page for browsers', () => import('./page.ts')),
    ping: entry('ping a host, from a device or on a scenario', () => import('./ping.ts')),
    trace: entry('the routers on the way to a host', () => import('./trace.ts')),
    mtu: entry('the path MTU to a host, and the hop that limits it', () => import('./mtu.ts')),
    nc: entry('standard input and output over UDP', () => import('./nc.ts')),
    bench: entry('rates and round trips, over several lanes side by side', () => import('./bench.ts')),
    dump: entry('decode a capture file, or what a TUN device receives', () => import('./dump.ts')),
    completion: entry('the completion of a shell: bash, zsh or fish', () => import('./completion.ts')),
    help: entry("a command's options", () => import('./help-command.ts')),
  }),
)

/** The names that are most like a word, quoted: `'sim'`, `'send' or 'sim'`; `''` for none. */
export function nearestCommand(word: string): string {
  return nearest(word, [...commands.keys()])
}
