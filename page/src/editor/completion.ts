/** Completion by the schema of scenarios: the keys that may stand at a place of the text. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import type { Schema } from '../../../src/network/index.ts'

export function completeBySchema(schema: () => Schema | null): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const root = schema()
    const word = context.matchBefore(/[\w-]*/)
    if (root === null || word === null || (word.from === word.to && !context.explicit)) return null
    const before = context.state.doc.sliceString(0, word.from)
    const value = /([\w-]+):[ ]+$/.exec(before)
    if (value !== null) {
      const choices = options(schemaAt(root, [...pathAt(before), value[1] as string]))
      return choices.length === 0 ? null : { from: word.from, options: choices }
    }
    const keys = properties(root, schemaAt(root, pathAt(before)))
    return keys.length === 0 ? null : { from: word.from, options: keys }
  }
}

/** The keys that lead to where the text ends, items of lists as `[]`. */
export function pathAt(before: string): string[] {
  const lines = before.split('\n')
  const [, space = '', dash = '', content = ''] = /^(\s*)(-\s+)?(.*)$/.exec(lines.pop() ?? '') ?? []
  const path = dash === '' ? [] : ['[]']
  // A list may stand as far left as its key.
  let limit = dash === '' ? space.length : space.length + 0.5
  for (const line of lines.reverse()) {
    const [, left = '', item = '', key = ''] = /^(\s*)(-\s+)?(?!-\s)([^\s:#{[][^:]*)(?=:(\s|$))/.exec(line) ?? []
    if (key === '') continue
    const column = left.length + item.length
    if (column < limit) {
      path.unshift(key)
      limit = column
    }
    // The first key of the item that it is in.
    if (item !== '' && column === limit) {
      path.unshift('[]')
      limit = left.length + 0.5
    }
  }
  return [...path, ...openIn(content)]
}

/** The maps and lists that are open at the end of a line's content. */
function openIn(content: string): string[] {
  const open: string[][] = []
  let key: string[] = []
  for (const [token] of content.matchAll(/[{[\]},]|[^\s{[\]},]+/g)) {
    if (token === '{') open.push(key)
    else if (token === '[') open.push([...key, '[]'])
    else if (token === '}' || token === ']') open.pop()
    key = /.:$/.test(token) ? [token.slice(0, -1)] : []
  }
  return open.flat()
}

function resolved(root: Schema, schema: Schema): Schema[] {
  if (typeof schema.$ref === 'string') {
    const definitions = root.$defs as Readonly<Record<string, Schema>>
    return resolved(root, definitions[schema.$ref.slice('#/$defs/'.length)] ?? {})
  }
  return schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap((each) => resolved(root, each))
}

function schemaAt(root: Schema, path: readonly string[]): Schema[] {
  let places = resolved(root, root)
  for (const key of path) {
    places = places.flatMap((schema) => {
      if (key === '[]') return schema.items === undefined ? [] : resolved(root, schema.items)
      const next =
        schema.properties?.[key] ?? (schema.additionalProperties === false ? undefined : schema.additionalProperties)
      return next === undefined ? [] : resolved(root, next)
    })
  }
  return places
}

function properties(root: Schema, places: readonly Schema[]): Completion[] {
  return places.flatMap((schema) =>
    Object.entries(schema.properties ?? {}).map(([key, of]) => ({
      label: key,
      apply: `${key}: `,
      type: 'property',
      info: of.description ?? resolved(root, of)[0]?.description ?? '',
    })),
  )
}

function options(places: readonly Schema[]): Completion[] {
  return places.flatMap((schema) =>
    schema.type === 'boolean'
      ? [{ label: 'true' }, { label: 'false' }]
      : (schema.enum ?? []).map((each) => ({ label: `${each}` })),
  )
}
