/** Changes of a scenario's text that keep its comments and its order. */
import { type Document, isMap, isScalar, isSeq, parse, parseDocument } from 'yaml'
import type { Edit } from '../protocol.ts'

/** @throws {Error} for a text that is no YAML */
export function edited(text: string, edits: readonly Edit[]): string {
  const document = parseDocument(text)
  const [problem] = document.errors
  if (problem !== undefined) throw new Error(`The text cannot be changed while it has an error: ${problem.message}`)
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never
  for (const edit of edits) {
    if ('rename' in edit) rename(document, edit.rename, edit.to)
    else if ('set' in edit) set(document, edit.set, 'source' in edit ? parsedValue(edit.source) : edit.value)
    else remove(document, edit.remove)
  }
  return document.toString({ lineWidth: 120, flowCollectionPadding: true })
}

function parsedValue(source: string): unknown {
  try {
    return parse(source)
  } catch (error) {
    throw new Error(`'${source}' is no value of YAML: ${(error as Error).message}`, { cause: error })
  }
}

/** An empty entry, such as `hosts: { a: }`, becomes a map when something is put into it. */
function set(document: Document, path: readonly (string | number)[], value: unknown): void {
  for (let depth = 1; depth < path.length; depth++) {
    const above = path.slice(0, depth)
    const node = document.getIn(above, true)
    if (node === undefined || (isScalar(node) && node.value === null)) {
      const empty = document.createNode(typeof path[depth] === 'number' ? [] : {})
      if (depth > 1) (empty as { flow?: boolean }).flow = true
      document.setIn(above, empty)
    }
  }
  const made = document.createNode(value)
  if (path.length > 1 && (isMap(made) || isSeq(made))) (made as { flow?: boolean }).flow = true
  document.setIn(path, made)
}

/** A map or list that becomes empty goes too, but for those of the top. */
function remove(document: Document, path: readonly (string | number)[]): void {
  document.deleteIn(path)
  for (let depth = path.length - 1; depth > 0; depth--) {
    const above = path.slice(0, depth)
    const node = document.getIn(above, true)
    if ((!isMap(node) && !isSeq(node)) || node.items.length > 0) return
    if (depth === 2 && ['hosts', 'routers', 'switches', 'segments'].includes(String(above[0]))) {
      document.setIn(above, null)
      return
    }
    document.deleteIn(above)
  }
}

const GROUPS = ['hosts', 'routers', 'switches', 'segments']
/** Keys whose value, or each of whose values, is the name of a node. */
const NAMING = new Set(['between', 'from', 'to', 'node', 'outside', 'on', 'partition'])

function rename(document: Document, name: string, to: string): void {
  for (const group of GROUPS) {
    const map = document.get(group, true)
    if (!isMap(map)) continue
    for (const pair of map.items) if (textOf(pair.key) === name) pair.key = document.createNode(to)
  }
  for (const key of ['links', 'flows', 'events', 'programs', 'routers'])
    renameIn(document.get(key, true), name, to, false)
}

function renameIn(node: unknown, name: string, to: string, naming: boolean): void {
  if (isScalar(node)) {
    if (naming && node.value === name) node.value = to
  } else if (isSeq(node)) for (const item of node.items) renameIn(item, name, to, naming)
  else if (isMap(node))
    for (const pair of node.items) {
      const key = textOf(pair.key)
      if (key === 'addresses' && isMap(pair.value)) {
        for (const each of pair.value.items) if (textOf(each.key) === name) each.key = to
      } else renameIn(pair.value, name, to, NAMING.has(key))
    }
}

function textOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key)
}
