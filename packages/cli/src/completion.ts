import type { Command } from './command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A shell's completion of commands and their flags, from the table of commands. */
export function completionFor(shell: Shell, program: string, commands: readonly Command[]): string {
  return shell === 'fish' ? fish(program, commands) : bash(program, commands, shell);
}

function flagsOf({ flags }: Command): readonly string[] {
  return flags.flatMap(({ long, refused }) => (long === undefined || refused !== undefined ? [] : [`--${long}`]));
}

/** Words that begin a command, or go on behind a first one. */
function nextWords(commands: readonly Command[], first?: string): readonly string[] {
  const words = commands.map(({ name }) => name.split(' '));
  const next = words.flatMap(([one = '', two]) => (first === undefined ? [one] : one === first && two ? [two] : []));
  return [...new Set(next)];
}

/** zsh runs bash's with its own `bashcompinit`. */
function bash(program: string, commands: readonly Command[], shell: 'bash' | 'zsh'): string {
  const groups = nextWords(commands).filter((word) => nextWords(commands, word).length > 0);
  const cases = [
    ...groups.map((word) => `    "${word}") words="${nextWords(commands, word).join(' ')}" ;;`),
    ...commands.map((command) => `    "${command.name}") words="${flagsOf(command).join(' ')}" ;;`),
  ];
  const name = `_${program.replaceAll('-', '_')}`;
  return `${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}${name}() {
  local words="" line="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) [ "$(wc -w <<<"$line")" -lt 2 ] && line="\${line:+$line }$word" ;; esac
  done
  case "$line" in
    "") words="${nextWords(commands).join(' ')}" ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F ${name} ${program}
`;
}

function fish(program: string, commands: readonly Command[]): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap((command) => {
    const [first = '', second] = command.name.split(' ');
    const at = second === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${first}`;
    const inside = [first, second].filter(Boolean).map((word) => `__fish_seen_subcommand_from ${word ?? ''}`);
    return [
      `complete -c ${program} -n ${quote(at)} -a ${second ?? first} -d ${quote(command.summary)}`,
      ...command.flags.flatMap(({ long, help, refused }) =>
        long === undefined || refused !== undefined
          ? []
          : [`complete -c ${program} -n ${quote(inside.join('; and '))} -l ${long} -d ${quote(help)}`],
      ),
    ];
  });
  const groups = nextWords(commands).filter((word) => nextWords(commands, word).length > 0);
  const heads = groups.map((word) => `complete -c ${program} -n '__fish_use_subcommand' -a ${word}`);
  return `${[...heads, ...lines].join('\n')}\n`;
}
