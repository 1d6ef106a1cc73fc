/** The options of `tungram run --net`, and of each group behind `--on`. */
import { option, repeatable } from './command-line.ts'

export const networkOptions = {
  net: option('--net <FILE>', 'the scenario'),
  seed: option('--seed <SEED>', "instead of the scenario's"),
  capture: option('--capture <FILE.pcapng>', 'write what passes on all links to a file for Wireshark'),
  report: option('--report <FILE.html>', 'write a page for the browser'),
  ladder: option('--ladder <N>', 'packets in its ladder, default 100'),
  explain: option('--explain', 'print the life of the first packet that was discarded at each place for each reason'),
  maxLag: option('--max-lag <TIME>', 'fail when the network was late by more'),
  warmUp: option(
    '--no-warm-up',
    'begin a second earlier: the network is late with its first packets, until its code is compiled',
  ),
  json: option('--json', "print JSON; the programs' output goes to standard error"),
} as const

export const hostGroupOptions = {
  on: option('--on <HOST>', 'the host, followed by what is to run there:'),
  after: option('--after <TIME>', 'when it is started, such as 1s; default at once'),
  expect: option('--expect <CODE>', 'the exit code that is a success; the run waits for it'),
  env: repeatable('--env <NAME=VALUE>', 'an environment variable; repeatable'),
  cwd: option('--cwd <DIRECTORY>', 'where it runs'),
  interactive: option('-i, --interactive', 'it has the terminal: for a shell'),
  netns: option(
    '--netns <NAME|PATH>',
    "the host is a namespace that is there already, of 'ip netns' or /proc/PID/ns/net; a command may follow",
  ),
} as const
