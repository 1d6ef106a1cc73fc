import { expect, test } from 'vitest'
import {
  continueProcess,
  deleteProcess,
  type NetworkProcess,
  processSend,
  processStatus,
  setNetworkProcessOption,
  stopProcess,
} from '../../../src/socket-api/network-process.ts'
import { b, client, clock, server, useTwoHosts } from './two-hosts.ts'

useTwoHosts()

test('what comes while a process is stopped waits, and it can send', () => {
  const { process, heard } = server({ stop: true, remote: '10.0.0.1:5001' })
  const { process: asker, heard: answers } = client({ local: '10.0.0.1:5001' })
  expect(processStatus(process)).toBe('stop')
  processSend(asker, 'one')
  processSend(process, 'answer')
  clock.settle()
  expect(heard).toEqual([])
  expect(answers).toEqual(['answer'])

  expect(continueProcess(process)).toBe(process)
  expect(processStatus(process)).toBe('open')
  expect(heard).toEqual([])
  clock.settle()
  expect(heard).toEqual(['one'])

  expect(stopProcess(process)).toBe(process)
  processSend(asker, 'two')
  clock.settle()
  expect(heard).toEqual(['one'])
})

test('a filter may stop its process in the middle of a run', () => {
  const heard: string[] = []
  const { process } = server({
    filter: (self: NetworkProcess, text: string) => {
      heard.push(text)
      stopProcess(self)
    },
  })
  const { process: asker } = client()
  processSend(asker, 'one')
  processSend(asker, 'two')
  clock.settle()
  expect(heard).toEqual(['one'])
  continueProcess(process)
  clock.settle()
  expect(heard).toEqual(['one', 'two'])
})

test('a stopped process keeps no more than its receive buffer', () => {
  const { process, heard } = server({ stop: true })
  const { process: asker } = client()
  for (let i = 0; i < 10; i++) processSend(asker, new Uint8Array(60_000))
  clock.settle()
  expect(b.drops.map(({ reason }) => reason)).toContain('UdpReceiveBuffer')
  continueProcess(process)
  clock.settle()
  expect(heard.length).toBe(3)
  expect(process.endpoint.queued).toBe(0)
})

test('deleting tells the sentinel once, when the process is closed and its address free', () => {
  const events: unknown[] = []
  const sentinel = (process: NetworkProcess, event: string) => {
    events.push([event, processStatus(process)])
    server({ reuseaddr: false })
  }
  const { process, heard } = server({ sentinel, reuseaddr: false })
  expect(processStatus(process)).toBe('open')
  const { process: asker } = client()
  processSend(asker, 'late')
  deleteProcess(process)
  deleteProcess(process)
  clock.settle()
  expect(events).toEqual([['deleted\n', 'closed']])
  expect(heard).toEqual([])
  expect(() => processSend(process, 'x')).toThrow(
    expect.objectContaining({ code: 'EBADF', message: expect.stringContaining('deleted') }),
  )
  expect(() => setNetworkProcessOption(process, 'broadcast', true, true)).toThrow(/deleted/)
})

test('a filter that deletes its process gets no more', () => {
  const heard: string[] = []
  server({
    filter: (self: NetworkProcess, text: string) => {
      heard.push(text)
      deleteProcess(self)
    },
  })
  const { process: asker } = client()
  processSend(asker, 'one')
  processSend(asker, 'two')
  clock.settle()
  expect(heard).toEqual(['one'])
})

test('a process that can receive keeps the program alive until it is deleted', () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const { process: listener } = server()
  expect(timers()).toBe(before + 1)
  const { process: asker } = client()
  expect(timers()).toBe(before + 1)
  processSend(asker, 'x')
  expect(timers()).toBe(before + 2)
  deleteProcess(listener)
  deleteProcess(asker)
  expect(timers()).toBe(before)
})
