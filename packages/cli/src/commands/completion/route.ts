import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export const completionRoute: Command<CliContext> = buildCommand({
  loader: async () => (await import('./completion.ts')).printCompletion,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ parse: readShell, placeholder: SHELLS.join('|'), brief: 'Which shell' }],
    },
  },
  docs: {
    brief: 'Print the script that completes this command in a shell',
    customUsage: [
      { input: 'bash > ~/.local/share/bash-completion/completions/event-manager', brief: 'bash' },
      { input: 'zsh > ~/.zsh/completions/_event-manager', brief: 'zsh, with that folder in fpath' },
      { input: 'fish > ~/.config/fish/completions/event-manager.fish', brief: 'fish' },
    ],
  },
});

/** What the scripts call with the words so far; not for people. */
export const proposeRoute: Command<CliContext> = buildCommand({
  loader: async () => (await import('./propose.ts')).propose,
  parameters: {
    positional: {
      kind: 'array',
      parameter: { parse: String, placeholder: 'word', brief: 'The words of the command line' },
    },
  },
  docs: { brief: 'Print what may follow the words of a command line, one per line, for the completion scripts' },
});

function readShell(input: string): Shell {
  const shell = SHELLS.find((name) => name === input);
  if (shell === undefined) throw new TypeError(`one of ${SHELLS.join(', ')} is expected`);
  return shell;
}
