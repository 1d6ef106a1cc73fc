import { expect, test } from 'vitest'
import { Cable } from '../../../src/network/nodes/cable.ts'
import { Graph } from '../../../src/network/nodes/graph.ts'
import { StackNode } from '../../../src/network/nodes/node.ts'
import { Stack } from '../../../src/stack.ts'

function make(...names: string[]) {
  const graph = new Graph()
  const nodes = names.map((name) => new StackNode(name, new Stack({ name }), name === 'r'))
  for (const node of nodes) graph.addNode(node)
  const join = (a: string, b: string, name = `${a}-${b}`) => {
    const end = (node: string) => ({ node, port: null, nic: null })
    graph.addCable(new Cable(name, [end(a), end(b)]))
  }
  return { graph, nodes, join }
}

test('a node is found by its name and by its stack, and one of another network is refused', () => {
  const { graph, nodes } = make('a', 'r')
  expect(graph.node('a')).toBe(nodes[0])
  expect(graph.node(nodes[1]?.stack as Stack)).toBe(nodes[1])
  expect(() => graph.node(new Stack({ name: 'a' }))).toThrow('a is of another network.')
  expect(() => graph.node('b')).toThrow('No node is named b: there are a, r.')
})

test('a name that is taken, and text that is no name, are refused', () => {
  const { graph } = make('a')
  expect(() => graph.checkName('a')).toThrow('The network has a node named a already.')
  for (const name of ['', '-a', 'a b', 'a.']) expect(() => graph.checkName(name), name).toThrow('is no name for a node')
  graph.checkName('a.1')
})

test('a second cable between two nodes gets a number, and a given name is taken once', () => {
  const { graph, join } = make('a', 'b')
  join('a', 'b')
  expect(graph.newCableName(undefined, 'a-b')).toBe('a-b-2')
  expect(graph.newCableName('wire', 'a-b')).toBe('wire')
  expect(() => graph.newCableName('a-b', 'x')).toThrow('The network has a cable named a-b already.')
})

test('a cable is found by its name or by its two ends in any order', () => {
  const { graph, join } = make('a', 'b', 'r')
  join('a', 'r')
  join('r', 'b', 'wire')
  expect(graph.cable('wire').name).toBe('wire')
  expect(graph.cable('r', 'a').name).toBe('a-r')
  expect(() => graph.cable('a', 'b')).toThrow('No cable joins a and b: there are a-r, wire.')
  expect(() => graph.cable('x')).toThrow('No cable is named x')
  expect(() => graph.portsOf('x')).toThrow('Neither a node nor a cable is named x.')
})
