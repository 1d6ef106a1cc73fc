/** The nodes of a network by name, and the cables that join them. */
import type { Stack } from '../../stack.ts'
import { list } from '../list.ts'
import type { Cable } from './cable.ts'
import { kindOf, type Node, StackNode } from './node.ts'
import type { Port } from './port.ts'
import type { Switch } from './switch.ts'

export class Graph {
  readonly #nodes = new Map<string, Node>()
  readonly #cables = new Map<string, Cable>()

  /** All nodes, in the order of their making. */
  get nodes(): Node[] {
    return [...this.#nodes.values()]
  }

  /** Hosts and routers, in the order of their making. */
  get hosts(): StackNode[] {
    return this.nodes.filter((node) => node instanceof StackNode)
  }

  /** All cables, in the order of their making. */
  get cables(): Cable[] {
    return [...this.#cables.values()]
  }

  get ports(): Port[] {
    return this.nodes.flatMap((node) => ('ports' in node ? node.ports : []))
  }

  // ── nodes ──

  /** @throws {Error} when the name is taken; {TypeError} for text that is no name */
  checkName(name: string): void {
    if (this.#nodes.has(name)) throw new Error(`The network has a node named ${name} already.`)
    if (typeof name !== 'string' || !/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name))
      throw new TypeError(
        `'${name}' is no name for a node: letters, digits, dots, dashes, beginning and ending with a letter or digit.`,
      )
  }

  /** Adds a node whose name was checked. */
  addNode(node: Node): void {
    this.#nodes.set(node.name, node)
  }

  /** @throws {Error} for an unknown name, and for a stack or switch of another network */
  node(which: string | Stack | Switch): Node {
    const name = typeof which === 'string' ? which : which.name
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`No node is named ${name}: there are ${list([...this.#nodes.keys()])}.`)
    if (typeof which !== 'string' && which !== node && !('stack' in node && node.stack === which))
      throw new Error(`${name} is of another network.`)
    return node
  }

  /** @throws {Error} when no host or router has this name */
  host(name: string): StackNode {
    const node = this.node(name)
    if (!(node instanceof StackNode)) throw new Error(`${name} is a ${kindOf(node)}, no host and no router.`)
    return node
  }

  // ── cables ──

  /**
   * A name that no cable has: the given one, or the proposed one with a number.
   * @throws {Error} when it is taken
   */
  newCableName(given: string | undefined, proposed: string): string {
    if (given !== undefined && this.#cables.has(given))
      throw new Error(`The network has a cable named ${given} already.`)
    if (given !== undefined) return given
    let name = proposed
    for (let number = 2; this.#cables.has(name); number++) name = `${proposed}-${number}`
    return name
  }

  addCable(cable: Cable): void {
    this.#cables.set(cable.name, cable)
  }

  /** A cable by its name, or the one between two nodes. @throws {Error} when there is none */
  cable(nameOrNode: string, other?: string): Cable {
    const found =
      other === undefined
        ? this.#cables.get(nameOrNode)
        : this.cables.find(({ ends }) => [nameOrNode, other].every((name) => ends.some(({ node }) => node === name)))
    if (found !== undefined) return found
    const what = other === undefined ? `is named ${nameOrNode}` : `joins ${nameOrNode} and ${other}`
    throw new Error(`No cable ${what}: there are ${list([...this.#cables.keys()])}.`)
  }

  /**
   * The ports of a cable or a node; of a segment, those of the cables that lead to it.
   * @throws {Error} for a name that is neither
   */
  portsOf(name: string): Port[] {
    const cable = this.#cables.get(name)
    if (cable !== undefined) return cable.ends.flatMap(({ port }) => port ?? [])
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`Neither a node nor a cable is named ${name}.`)
    if ('ports' in node) return node.ports
    return this.cables
      .filter(({ ends }) => ends.some((end) => end.node === name))
      .flatMap(({ ends }) => ends.flatMap(({ port }) => port ?? []))
  }
}
