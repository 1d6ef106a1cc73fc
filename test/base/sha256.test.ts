import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { SeededRandom } from '../../src/base/random.ts'
import { sha256 } from '../../src/base/sha256.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test("SHA-256 of FIPS 180-4's example", () => {
  expect(hex(sha256(new TextEncoder().encode('abc')))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

test('SHA-256 is what OpenSSL makes, for every length around a block and beyond', () => {
  const random = new SeededRandom('sha256')
  for (let length = 0; length < 300; length++) {
    const message = Uint8Array.from({ length }, () => random.below(256))
    expect(hex(sha256(message))).toBe(createHash('sha256').update(message).digest('hex'))
  }
})
