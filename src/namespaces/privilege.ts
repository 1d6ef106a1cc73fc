/** Whether this process may make namespaces, by which way, and if not, why, and what to do. */
import { existsSync, readFileSync } from 'node:fs'

/** Of capabilities(7). */
const CAP_NET_ADMIN = 12
const CAP_SYS_ADMIN = 21

/** Reads a file of the system; `null` where there is none. */
export type ReadFile = (path: string) => string | null

export const readFile: ReadFile = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** Whether namespaces and devices can be made as they are; else it takes a user namespace. */
export function isPrivileged(read: ReadFile = readFile): boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([\da-f]+)/m.exec(read('/proc/self/status') ?? '')?.[1] ?? '0'}`)
  const has = (capability: number) => ((effective >> BigInt(capability)) & 1n) === 1n
  return has(CAP_SYS_ADMIN) && has(CAP_NET_ADMIN)
}

/**
 * Why `unshare` failed, which said `complaint`: a sentence with what to do.
 */
export function whyNoNamespaces(complaint: string, privileged: boolean, read: ReadFile = readFile): string {
  const said = complaint.trim().split('\n').at(-1) ?? ''
  return `namespaces cannot be made here (${said}): ${reason(said, privileged, read)}`
}

function reason(said: string, privileged: boolean, read: ReadFile): string {
  const value = (path: string) => read(`/proc/sys/${path}`)?.trim()
  for (const kind of ['user', 'net', 'mnt', 'pid', 'uts'])
    if (value(`user/max_${kind}_namespaces`) === '0')
      return `the sysctl user.max_${kind}_namespaces is 0; let root say 'sysctl user.max_${kind}_namespaces=10000'.`
  if (privileged) return `${container(read)}the kernel refuses although this process has the capabilities.`
  if (value('kernel/unprivileged_userns_clone') === '0')
    return (
      "user namespaces are for root only; let root say 'sysctl kernel.unprivileged_userns_clone=1', or run " +
      'as root.'
    )
  if (value('kernel/apparmor_restrict_unprivileged_userns') === '1')
    return (
      "AppArmor keeps user namespaces from programs without a profile (Ubuntu); let root say 'sysctl " +
      "kernel.apparmor_restrict_unprivileged_userns=0', or run with sudo."
    )
  if (isConfined(read) || isContainer(read))
    return (
      `${container(read)}run it with '--cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun ` +
      `--security-opt seccomp=unconfined --security-opt apparmor=unconfined', or with '--privileged'.`
    )
  if (/no space/i.test(said))
    return (
      'there are too many namespaces already, or too deep ones: see the sysctls user.max_*_namespaces ' +
      "('sysctl -a | grep namespaces')."
    )
  return 'user namespaces are not allowed for this user; run as root, or ask root why (in a chroot they never are).'
}

/** Whether a seccomp filter decides over system calls. */
function isConfined(read: ReadFile): boolean {
  return /^Seccomp:\s*2/m.test(read('/proc/self/status') ?? '')
}

function isContainer(read: ReadFile): boolean {
  return read('/.dockerenv') !== null || read('/run/.containerenv') !== null
}

function container(read: ReadFile): string {
  return isContainer(read)
    ? 'this is a container whose settings do not allow it; '
    : isConfined(read)
      ? 'a seccomp filter is in force, as in a container or sandbox, and may not allow it; '
      : ''
}

/** @throws {Error} with what to do when there is no device to be had */
export function checkTunDevice(): void {
  if (existsSync('/dev/net/tun')) return
  throw new Error(
    "there is no /dev/net/tun: load the driver with 'modprobe tun'; in a container pass the device in " +
      "('--device /dev/net/tun').",
  )
}
