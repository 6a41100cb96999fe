import type { CliContext } from '../../cli-context.ts';
import { Output } from '../../output/output.ts';
import type { Shell } from './route.ts';

/** The scripts only ask: what can be said is known in one place, and stays right when commands are added. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of event-manager for bash.
_event_manager() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(event-manager propose -- "\${words[@]}" 2>/dev/null | cut -f1)" -- "$current"))
  compopt +o nospace 2>/dev/null
}
complete -o default -F _event_manager event-manager`,
  zsh: `#compdef event-manager
# Completion of event-manager for zsh.
_event-manager() {
  local -a proposals
  local word brief
  while IFS=$'\\t' read -r word brief; do
    [[ -n "$word" ]] && proposals+=("\${word//:/\\\\:}:$brief")
  done < <(event-manager propose -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#proposals} )); then
    _describe 'event-manager' proposals
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == "_event-manager" ]]; then
  _event-manager "$@"
else
  compdef _event-manager event-manager
fi`,
  fish: `# Completion of event-manager for fish.
function __event_manager_propose
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l proposals (event-manager propose -- $words[2..-1] "$current" 2>/dev/null)
    if set -q proposals[1]
        printf '%s\\n' $proposals
    else
        __fish_complete_path "$current"
    end
end
complete --command event-manager --no-files --arguments '(__event_manager_propose)'`,
};

export async function printCompletion(this: CliContext, _flags: object, shell: Shell): Promise<void> {
  await new Output(this, {}).text(SCRIPTS[shell]);
}
