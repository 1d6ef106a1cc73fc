/** The shape of node:dgram, over a stack. Importing this module gives every stack its `dgram`. */
import type { EventEmitter as NodeEmitter } from 'node:events'
import { EventEmitter } from '#platform'
import { Stack } from '../../stack.ts'
import { initialise, UdpSocket } from './socket.ts'
import { StackSockets, socketsOf } from './stack-sockets.ts'
import type { Socket, SocketEvents, SocketOptions, SocketType } from './types.ts'

export type { IcmpInfo, MessageInfo } from './message-info.ts'
export type { DontFragment, OptionName, SocketOptionValues } from './option-values.ts'
export type {
  BatchItem,
  BindOptions,
  BindSyncOptions,
  Bytes,
  Lookup,
  LookupCallback,
  Message,
  Payload,
  SendCallback,
  SendDetails,
  SendSettings,
  Socket,
  SocketEvents,
  SocketOptions,
  SocketType,
} from './types.ts'

/** A listener for 'message'. */
export type MessageListener = (...args: SocketEvents['message']) => void

/** What `stack.dgram` is: node:dgram, to whose type it can be assigned. */
export interface DgramModule {
  /**
   * Makes a socket of this stack; `callback` is a listener for 'message'.
   * @throws {TypeError} ERR_SOCKET_BAD_TYPE, ERR_INVALID_ARG_TYPE; {RangeError} ERR_OUT_OF_RANGE
   */
  createSocket(type: SocketType | SocketOptions, callback?: MessageListener): Socket
  /**
   * For `instanceof` and `extends`; callable on an instance without `new`, as older programs
   * inherit.
   */
  readonly Socket: SocketConstructor
}

/** The class of a stack's sockets. */
export interface SocketConstructor extends Omit<typeof NodeEmitter, 'prototype'> {
  /** As `createSocket` does. */
  new (type: SocketType | SocketOptions, callback?: MessageListener): Socket
  /** The form that Node's types declare; without a type it throws ERR_SOCKET_BAD_TYPE. */
  new (options?: object): Socket
  readonly prototype: Socket
}

/** The dgram module of a stack; the same as `stack.dgram`, made anew. */
export function createDgram(stack: Stack): DgramModule {
  return moduleOf(new StackSockets(stack))
}

function moduleOf(shared: StackSockets): DgramModule {
  // Named as in Node: the name is what `util.inspect` shows.
  function makeSocket(this: UdpSocket, type: unknown, listener: unknown): void {
    ;(EventEmitter as unknown as (this: EventEmitter) => void).call(this)
    initialise(this, shared, type, listener)
  }
  Object.defineProperty(makeSocket, 'name', { value: 'Socket' })
  Object.setPrototypeOf(makeSocket, EventEmitter)
  makeSocket.prototype = Object.create(UdpSocket.prototype, {
    constructor: { value: makeSocket, writable: true, configurable: true },
  })
  const SocketOfStack = makeSocket as unknown as SocketConstructor

  return {
    // No arrow: in Node `new dgram.createSocket(…)` makes a socket too.
    createSocket: function createSocket(type: SocketType | SocketOptions, callback?: MessageListener) {
      return new SocketOfStack(type, callback)
    },
    Socket: SocketOfStack,
  }
}

declare module '../../stack.ts' {
  interface Stack {
    /** node:dgram over this stack. */
    readonly dgram: DgramModule
  }
}

const modules = new WeakMap<Stack, DgramModule>()

Object.defineProperty(Stack.prototype, 'dgram', {
  get(this: Stack): DgramModule {
    let module = modules.get(this)
    if (module === undefined) {
      module = moduleOf(socketsOf(this))
      modules.set(this, module)
    }
    return module
  },
  configurable: true,
  enumerable: false,
})
