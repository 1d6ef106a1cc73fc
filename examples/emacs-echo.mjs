// A server that sends everything back to whoever spoke, and somebody who speaks. Run: node
// examples/emacs-echo.mjs
import { deleteProcess, makeNetworkProcess, processSend } from 'tungram/network-process'

// The peer is the sender by the time the filter runs: sending answers.
const filter = (process, text) => processSend(process, text)
const echo = makeNetworkProcess({ name: 'echo', type: 'datagram', server: true, service: 7000, filter })

const client = makeNetworkProcess({ name: 'client', type: 'datagram', service: 7000 })
client.filter = (_process, text) => {
  console.log(`the echo of: ${text}`)
  for (const process of [client, echo]) deleteProcess(process)
}
processSend(client, 'hello')
