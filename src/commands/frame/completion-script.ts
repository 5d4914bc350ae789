/**
 * Completion scripts from the command tree. Each is a table from the words typed so far to what may follow, so that
 * completing needs no start of the program.
 */

import type { CommandDescription, OptionDescription, TreeDescription } from './describe.ts';

interface Place {
  /** "replication run"; empty at the top. */
  readonly words: string;
  readonly commands: readonly CommandDescription[];
  readonly options: readonly OptionDescription[];
  /** Values that arguments of this command may have. */
  readonly values: readonly string[];
}

export const completionScript = (shell: 'bash' | 'zsh' | 'fish', tree: TreeDescription): string => {
  const places = placesOf(tree);
  switch (shell) {
    case 'bash':
      return bash(places);
    case 'zsh':
      return `#compdef xcrepl\nautoload -U +X bashcompinit && bashcompinit\n${bash(places)}`;
    case 'fish':
      return fish(places, tree.globalOptions);
  }
};

const placesOf = (tree: TreeDescription): Place[] => {
  const below = (command: CommandDescription): Place[] => [
    {
      words: command.path.join(' '),
      commands: command.commands,
      options: [...command.options, ...tree.globalOptions],
      values: command.arguments.flatMap(({ choices }) => choices ?? []),
    },
    ...command.commands.flatMap(below),
  ];
  return [
    { words: '', commands: tree.commands, options: tree.globalOptions, values: [] },
    ...tree.commands.flatMap(below),
  ];
};

const bash = (places: readonly Place[]): string => {
  const follows = places.map(
    ({ words, commands, options, values }) =>
      `    '${words}') words='${[...commands.map(({ path }) => path.at(-1)), ...values, ...options.map(({ name }) => name), '--help'].join(' ')}' ;;`,
  );
  const valued = new Map<string, readonly string[]>();
  for (const { options } of places)
    for (const { name, short, choices } of options)
      if (choices) valued.set(short === null ? name : `${name}|${short}`, choices);
  const choices = [...valued].map(([names, list]) => `    ${names}) words='${list.join(' ')}' ;;`);
  return `_xcrepl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} place='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) break ;; esac
    place="\${place:+$place }$word"
  done
  case $place in
${follows.join('\n')}
  esac
  case $prev in
${choices.join('\n')}
    --config|-c) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _xcrepl xcrepl
`;
};

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const fish = (places: readonly Place[], globalOptions: readonly OptionDescription[]): string => {
  const lines = [
    'function __xcrepl_at',
    '  set -l place (commandline -opc)[2..-1]',
    '  set -l words (string match -v -- "-*" $place)',
    '  test "$words" = "$argv"',
    'end',
    'complete -c xcrepl -f',
    ...globalOptions.map((option) => fishOption(option, '')),
  ];
  const globals = new Set(globalOptions);
  for (const { words, commands, options, values } of places) {
    const at = ` -n ${quote(`__xcrepl_at ${words}`.trim())}`;
    for (const { path, summary } of commands)
      lines.push(`complete -c xcrepl${at} -a ${quote(path.at(-1) ?? '')} -d ${quote(summary)}`);
    for (const value of values) lines.push(`complete -c xcrepl${at} -a ${quote(value)}`);
    for (const option of options) if (!globals.has(option)) lines.push(fishOption(option, at));
  }
  return `${lines.join('\n')}\n`;
};

const fishOption = (option: OptionDescription, at: string): string => {
  const short = option.short === null ? '' : ` -s ${option.short.slice(1)}`;
  const value =
    option.value === 'none' ? '' : option.choices ? ` -x -a ${quote(option.choices.join(' '))}` : ' -r';
  return `complete -c xcrepl${at} -l ${option.name.slice(2)}${short}${value} -d ${quote(option.description)}`;
};
