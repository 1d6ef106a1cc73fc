// Open Sound Control: messages and bundles to a server.
import { once } from 'node:events'
import { Bundle, Client, Server } from 'node-osc'

const server = new Server(3333, '127.0.0.1')
await once(server, 'listening')
const client = new Client('127.0.0.1', 3333)
const message = once(server, 'message')
await client.send(['/volume', 11, 'loud'])
console.log(JSON.stringify((await message)[0]))
const bundle = once(server, 'bundle')
await client.send(new Bundle(['/one', 1], ['/two', 2]))
console.log((await bundle)[0].elements.length)
await client.close()
await server.close()
