import type * as dgram from 'node:dgram'
import { expect, expectTypeOf, test } from 'vitest'
import '../../../src/socket-api/dgram/dgram.ts'
import { Stack } from '../../../src/stack.ts'

test('the dgram of a stack stands in for node:dgram in types', () => {
  const stack = new Stack()
  const standIn: typeof import('node:dgram') = stack.dgram
  const socket: dgram.Socket = standIn.createSocket('udp4')
  socket.on('message', (msg, rinfo) => {
    expectTypeOf(msg).toEqualTypeOf<Buffer<ArrayBuffer>>()
    expectTypeOf(rinfo.port).toEqualTypeOf<number>()
  })
  expect(socket).toBeInstanceOf(stack.dgram.Socket)
  socket.close()
  stack.close()
})
