import { BlockList } from 'node:net'
import { expect, test } from 'vitest'
import { checkBlockList, isBlocked } from '../../../src/socket-api/dgram/block-list.ts'

test('what is no block list is refused, and nothing is none', () => {
  expect(() => checkBlockList({}, 'options.sendBlockList')).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  )
  expect(checkBlockList(undefined, 'options.sendBlockList')).toBeUndefined()
  const list = new BlockList()
  expect(checkBlockList(list, 'options.sendBlockList')).toBe(list)
})

test('an address is blocked by the rules of its family', () => {
  const list = new BlockList()
  list.addSubnet('10.0.0.0', 8)
  list.addAddress('fd00::1', 'ipv6')
  expect(['10.1.2.3', '11.1.2.3', 'fd00::1', 'fd00::2'].map((ip) => isBlocked(list, ip))).toEqual([
    true,
    false,
    true,
    false,
  ])
  expect(isBlocked(undefined, '10.1.2.3')).toBe(false)
})
