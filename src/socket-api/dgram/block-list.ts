/** Lists of blocked addresses, as `createSocket` takes them. */
import { BlockList, isIP } from '#platform'
import { invalidArgType } from './errors.ts'

/** @throws {TypeError} ERR_INVALID_ARG_TYPE */
export function checkBlockList(value: unknown, name: string): BlockList | undefined {
  if (!value) return undefined
  if (!isBlockList(value)) throw invalidArgType(name, 'an net.BlockList', value)
  return value
}

export function isBlocked(list: BlockList | undefined, ip: string): boolean {
  return list?.check(ip, isIP(ip) === 4 ? 'ipv4' : 'ipv6') ?? false
}

function isBlockList(value: unknown): value is BlockList {
  // Node 20 has no isBlockList.
  const { isBlockList } = BlockList as { isBlockList?: (value: unknown) => boolean }
  return isBlockList === undefined ? value instanceof BlockList : isBlockList(value)
}
