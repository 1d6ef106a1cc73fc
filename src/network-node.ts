/** `tungram/network` in Node: hosts have their `dgram`. */
import './socket-api/dgram.ts'

export * from './network/index.ts'
