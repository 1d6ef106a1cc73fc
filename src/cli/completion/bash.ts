import { type CompletedCommand, type CompletedOption, namesOf, type Offer, quoted } from './completed.ts'

/** For bash 4 and newer; needs no other package. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  return `# bash completion of tungram: source <(tungram completion bash)
_tungram_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_tungram_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }

_tungram() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    _tungram_words ${quoted([...commands.map(({ name }) => name), '--help', '--version'].join(' '))}
    return
  fi
  case \${COMP_WORDS[1]} in
${commands.map(commandCase).join('')}  esac
}
complete -F _tungram tungram
`
}

function commandCase({ name, options, words, runsProgram }: CompletedCommand): string {
  const names = [...options.flatMap(namesOf), '--help'].join(' ')
  const program = `      for (( at = 2; at < COMP_CWORD; at++ )); do
        [[ \${COMP_WORDS[at]} == -- ]] && { compopt -o default; return; }
      done
`
  return `    ${name})
${runsProgram ? program : ''}      case $previous in
${valueCases(options).join('')}      esac
      if [[ $current == -* ]]; then _tungram_words ${quoted(names)}
      else ${offer(words)}
      fi
      ;;
`
}

/** A case for all options of whose values the same is offered. */
function valueCases(options: readonly CompletedOption[]): string[] {
  const cases = new Map<string, string[]>()
  for (const option of options) {
    if (option.value === null) continue
    const { isOptional, values } = option.value
    // A value that may be left out may be another option's name.
    const test = isOptional ? '[[ $current == -* ]] || ' : ''
    const action = `${test}{ ${offer(values)}; return; }`
    cases.set(action, [...(cases.get(action) ?? []), ...namesOf(option)])
  }
  return [...cases].map(([action, names]) => `        ${names.join('|')}) ${action} ;;\n`)
}

function offer(values: Offer): string {
  if (values === 'files') return '_tungram_files'
  return values.length === 0 ? ':' : `_tungram_words ${quoted(values.join(' '))}`
}
