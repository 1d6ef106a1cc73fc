/**
 * Who has the terminal while an interactive program runs. A terminal belongs to a process group:
 * the one of the process outside cannot be seen from the process namespace, so that a shell there
 * could neither take the terminal nor give it back, and would end with an error. So the process
 * inside makes a group of its own the terminal's, and the process outside takes it back.
 */
import { isatty } from 'node:tty'
import { loadLibc } from '../link/device/tun-libc.ts'

const STDIN = 0
const SIGTTOU = 22
const SIG_DFL = 0
const SIG_IGN = 1

interface Calls {
  getpgrp(): number
  setpgid(pid: number, group: number): number
  tcgetpgrp(fd: number): number
  tcsetpgrp(fd: number, group: number): number
  signal(number: number, action: number): number
}

function calls(): Calls {
  const { library } = loadLibc()
  return {
    getpgrp: library.func('int getpgrp()'),
    setpgid: library.func('int setpgid(int pid, int group)'),
    tcgetpgrp: library.func('int tcgetpgrp(int fd)'),
    tcsetpgrp: library.func('int tcsetpgrp(int fd, int group)'),
    signal: library.func('intptr_t signal(int number, intptr_t action)'),
  }
}

/** Whether standard input is a terminal from which this process may read: no background job. */
export function hasTerminal(): boolean {
  if (!isatty(STDIN)) return false
  const { getpgrp, tcgetpgrp } = calls()
  return tcgetpgrp(STDIN) === getpgrp()
}

/** Makes a process group of this process and of what it starts, and gives that the terminal. */
export function takeTerminal(): void {
  calls().setpgid(0, 0)
  regainTerminal()
}

/** Gives the terminal to the process group that this process is in. */
export function regainTerminal(): void {
  const { getpgrp, tcsetpgrp, signal } = calls()
  // Whoever is in the background is stopped for it, unless it does not want to hear of it.
  signal(SIGTTOU, SIG_IGN)
  tcsetpgrp(STDIN, getpgrp())
  signal(SIGTTOU, SIG_DFL)
}
