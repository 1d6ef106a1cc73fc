/**
 * One UDP echo service on two cores: two worker threads, a stack each, on the two queues of one TUN
 * device. The kernel spreads flows over the queues. Needs the privilege to make a device: 'unshare
 * -n node examples/two-workers.mjs' as root, or under 'unshare -rn'.
 */
import dgram from 'node:dgram'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { openTun, Stack } from 'tungram'

const ADDRESS = '10.9.0.2'

if (isMainThread) {
  const workers = [new Worker(new URL(import.meta.url)), new Worker(new URL(import.meta.url))]
  await Promise.all(workers.map((worker) => once(worker, 'message')))

  // Thirty flows, each from a port of its own.
  const answers = []
  for (let i = 0; i < 30; i++) {
    const client = dgram.createSocket('udp4')
    client.send('hello', 7, ADDRESS)
    answers.push(once(client, 'message').then(() => client.close()))
  }
  await Promise.all(answers)

  const counts = []
  for (const worker of workers) {
    worker.postMessage('stop')
    const [count] = await once(worker, 'message')
    counts.push(count)
  }
  console.log(`30 answers, ${counts.every((count) => count > 0) ? 'from both workers' : 'from one worker only'}`)
} else {
  const stack = new Stack()
  stack.addNic(openTun({ name: 'tun0', queues: 2, peer: '10.9.0.1/24' }), { addresses: [`${ADDRESS}/24`] })
  let count = 0
  const service = stack.dgram.createSocket('udp4', (message, { port, address }) => {
    count++
    service.send(message, port, address)
  })
  service.bind(7, () => parentPort.postMessage('ready'))
  parentPort.once('message', () => {
    service.close()
    stack.close()
    parentPort.postMessage(count)
  })
}
