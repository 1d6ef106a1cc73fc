/** Finds a command as execvp(3) does, so that a mistake is told before anything is started. */
import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { resolve } from 'node:path'

/** What execvp(3) takes when there is no PATH. */
const DEFAULT_PATH = '/bin:/usr/bin'

/** @throws {Error} when there is no such command, or no such directory */
export function checkCommand(on: string, command: string, cwd: string, path = DEFAULT_PATH): void {
  const what = `the program on ${on} cannot be started`
  if (!look(cwd)?.isDirectory()) throw new Error(`${what}: there is no directory ${cwd}`)
  const places = command.includes('/') ? [command] : path.split(':').map((each) => `${each || '.'}/${command}`)
  const files = places.map((each) => resolve(cwd, each)).filter((each) => look(each)?.isFile())
  if (files.length === 0) throw new Error(`${what}: there is no command '${command}'`)
  if (!files.some(isExecutable)) throw new Error(`${what}: '${command}' may not be executed`)
}

/** What is there; nothing in a directory that may not be entered. */
function look(path: string): Stats | null {
  try {
    return statSync(path)
  } catch {
    return null
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
