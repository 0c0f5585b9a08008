/** What a shell does with the words that `pmctl __complete` prints, a line each, their meaning behind a tab. */
export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# pmctl completion for bash: source <(pmctl completion bash)
_pmctl() {
  local IFS=$'\\n' word=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=($(compgen -W "$(pmctl __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)" -- "$word"))
}
complete -o default -F _pmctl pmctl
`,
  zsh: `#compdef pmctl
# pmctl completion for zsh: source <(pmctl completion zsh)
_pmctl() {
  local line
  local -a candidates
  for line in "\${(@f)$(pmctl __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#candidates} )); then _describe pmctl candidates; else _files; fi
}
compdef _pmctl pmctl
`,
  fish: `# pmctl completion for fish: pmctl completion fish | source
complete -c pmctl -n 'not __fish_seen_subcommand_from validate diff' -f
complete -c pmctl -a '(pmctl __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};
