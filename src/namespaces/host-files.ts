/**
 * What programs look names up in: /etc/hosts with the names of the network, and nothing that asks
 * servers outside. The files of the machine are not touched: others are mounted over them, in the
 * mount namespace of this process and its programs.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MS_BIND, systemCalls } from './system-calls.ts'

/** `names` are those of the network, with their addresses. */
export function hostsFile(names: ReadonlyMap<string, readonly string[]>): string {
  const own = [...names].flatMap(([name, addresses]) => addresses.map((address) => `${address} ${name}`))
  return `${['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback', ...own].join('\n')}\n`
}

/** `original` with names looked up in the file and by DNS only, not by daemons of the machine. */
export function nsswitchFile(original: string): string {
  const others = original.split('\n').filter((line) => !/^\s*(hosts|networks)\s*:/.test(line))
  return `${others.join('\n').trimEnd()}\nhosts: files dns\nnetworks: files\n`
}

/**
 * Without a name server the C libraries ask 127.0.0.1, where a program of the same host may answer;
 * without one that fails at once.
 */
const RESOLV = 'options timeout:1 attempts:1\n'

/** A daemon of the machine that answers for the C library, over a socket that is a file. */
const NSCD = '/run/nscd'

/**
 * Mounts the files; this process has a mount namespace of its own.
 * @returns the ones that could not be mounted
 */
export function mountHostFiles(names: ReadonlyMap<string, readonly string[]>): string[] {
  const calls = systemCalls()
  const directory = mkdtempSync(join(tmpdir(), 'tungram-'))
  const failed: string[] = []
  try {
    const nsswitch = '/etc/nsswitch.conf'
    const files = {
      '/etc/hosts': hostsFile(names),
      '/etc/resolv.conf': RESOLV,
      [nsswitch]: existsSync(nsswitch) ? nsswitchFile(readFileSync(nsswitch, 'utf8')) : '',
    }
    for (const [target, text] of Object.entries(files)) {
      if (!existsSync(target)) {
        // Only the names are missed; the C libraries do without the others.
        if (target === '/etc/hosts') failed.push(target)
        continue
      }
      const source = join(directory, 'file')
      writeFileSync(source, text)
      // Whatever the umask is: programs may change their user.
      chmodSync(source, 0o644)
      try {
        calls.mount(source, target, '', MS_BIND)
      } catch {
        failed.push(target)
      }
      // The mount keeps the file; its name is not needed.
      rmSync(source)
    }
    if (existsSync(NSCD)) calls.mount('tmpfs', NSCD, 'tmpfs', 0)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return failed
}

/**
 * Shows programs their own processes only; where the kernel does not allow that (a container that
 * hides parts of /proc) they see all, under other numbers.
 */
export function mountProc(): void {
  try {
    systemCalls().mount('proc', '/proc', 'proc', 0)
  } catch {
    // As said.
  }
}
