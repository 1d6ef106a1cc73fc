/**
 * Reads the words behind a command's name in the terminal of a simulated host. `tungram` on the
 * machine reads them with commander, which needs Node; the descriptions are the same.
 */
import type { OptionDescription, OptionDescriptions, OptionValues } from './option.ts'
import { UsageError } from './usage.ts'

type Values = Record<string, string | true | string[]>

interface Form {
  readonly name: string
  readonly description: OptionDescription
  /** Whether it has a value behind it. */
  readonly takes: boolean
}

/** @throws {UsageError} for an option that is not described, and one without its value */
export function readOptions<Options extends OptionDescriptions>(
  words: readonly string[],
  options: Options,
): { values: OptionValues<Options>; positionals: string[] } {
  const forms = formsOf(options)
  const values: Values = {}
  const positionals: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    if (word === '--') {
      positionals.push(...words.slice(at + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word)
      continue
    }
    const { flag, attached } = split(word, forms)
    const form = forms.get(flag)
    if (form === undefined)
      throw new UsageError(`there is no option '${flag}': there are ${[...forms.keys()].join(' ')}`)
    if (form.takes) {
      const value = attached ?? words[++at]
      if (value === undefined) throw new UsageError(`${flag} takes a value: ${form.description.flags}`)
      const before = values[form.name]
      values[form.name] = form.description.isRepeatable ? [...(Array.isArray(before) ? before : []), value] : value
    } else if (attached !== null) throw new UsageError(`${flag} takes no value, such as '${attached}'`)
    else values[form.name] = true
  }
  return { values: values as OptionValues<Options>, positionals }
}

function formsOf(options: OptionDescriptions): Map<string, Form> {
  return new Map(
    Object.entries(options).flatMap(([name, description]) => {
      const flags = description.flags.match(/(?<![\w-])--?[\w-]+/g) ?? []
      const form = { name, description, takes: /[<[]/.test(description.flags) }
      return flags.map((flag) => [flag, form] as const)
    }),
  )
}

/** `--size=56`, `-s56`, `-4`. */
function split(word: string, forms: ReadonlyMap<string, Form>): { flag: string; attached: string | null } {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=')
    return equals < 0
      ? { flag: word, attached: null }
      : { flag: word.slice(0, equals), attached: word.slice(equals + 1) }
  }
  const flag = word.slice(0, 2)
  return word.length === 2 || !forms.has(flag) ? { flag: word, attached: null } : { flag, attached: word.slice(2) }
}
