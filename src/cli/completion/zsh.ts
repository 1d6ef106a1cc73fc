import { type CompletedCommand, type CompletedOption, namesOf, type Offer, quoted } from './completed.ts'

/** For zsh: sourced behind compinit, or as a file `_tungram` of fpath. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef tungram
# zsh completion of tungram: source <(tungram completion zsh)
_tungram() {
  local -a commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}\n`).join('')}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(commandCase).join('')}  esac
}
if [[ $funcstack[1] == _tungram ]]; then _tungram "$@"; else compdef _tungram tungram; fi
`
}

function commandCase({ name, options, words, runsProgram }: CompletedCommand): string {
  const specs = [
    ...options.map(optionSpec),
    quoted('--help[this text]'),
    ...(runsProgram ? [quoted('*::program:_normal')] : []),
    ...(words.length === 0 ? [] : [quoted(`*:argument:${offer(words)}`)]),
  ]
  return `    ${name})
      _arguments -s \\
        ${specs.join(' \\\n        ')}
      ;;
`
}

function optionSpec(option: CompletedOption): string {
  const { help, isRepeatable, value } = option
  const names = namesOf(option)
  const text = help.replace(/[[\]\\:]/g, '\\$&')
  const argument = value === null ? '' : `${value.isOptional ? '::' : ':'}${value.name}:${offer(value.values)}`
  const head = isRepeatable ? `'*'` : names.length > 1 ? quoted(`(${names.join(' ')})`) : ''
  const flags = names.length > 1 ? `{${names.join(',')}}` : names[0]
  return `${head}${flags}${quoted(`[${text}]${argument}`)}`
}

function offer(values: Offer): string {
  if (values === 'files') return '_files'
  return values.length === 0 ? ' ' : `(${values.join(' ')})`
}
