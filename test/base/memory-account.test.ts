import { expect, test } from 'vitest'
import { bytesCost, MemoryAccount } from '../../src/base/memory-account.ts'

test('an account is over its limit with the first byte beyond it', () => {
  const account = new MemoryAccount(100)
  expect([account.limit, account.held, account.isOver]).toEqual([100, 0, false])
  account.charge(60)
  account.charge(40)
  expect([account.held, account.isOver]).toEqual([100, false])
  account.charge(1)
  expect([account.held, account.isOver]).toEqual([101, true])
  account.release(41)
  expect([account.held, account.isOver]).toEqual([60, false])
})

test('what fits fills the account at most', () => {
  const account = new MemoryAccount(100)
  account.charge(60)
  expect([39, 40, 41].map((cost) => account.fits(cost))).toEqual([true, true, false])
  expect(account.held).toBe(60)
})

test('an array costs its two objects and whole words, and more when its bytes are not on the heap', () => {
  expect([0, 1, 8, 9, 64].map(bytesCost)).toEqual([208, 216, 216, 224, 272])
  expect([65, 72, 1500].map(bytesCost)).toEqual([208 + 72 + 80, 208 + 72 + 80, 208 + 1504 + 80])
})
