import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { lines, SERVICE_FLAGS, type ServiceFlags, text, texts, wholeNumber } from '../../command-flags.ts';
import { proposeContexts, proposeTopics } from '../../service/proposals.ts';

export interface TailFlags extends ServiceFlags {
  readonly topic?: readonly string[];
  readonly type?: readonly string[];
  readonly filter?: string;
  readonly subscriber?: string;
  readonly from?: string;
  readonly count?: number;
}

export const tailRoute: Command<CliContext> = buildCommand({
  loader: async () => (await import('./tail.ts')).tail,
  parameters: {
    flags: {
      topic: {
        ...texts('PATTERN', 'Topic pattern; repeat it for more (default everything)'),
        proposeCompletions: proposeTopics,
      },
      type: texts('PATTERN', 'Pattern of types; repeat it for alternatives'),
      filter: text('JSON', 'What else an event must be: the text, @FILE, or - for standard input'),
      subscriber: {
        ...text('NAME', 'Whose registered context the filter asks for relevance'),
        proposeCompletions: proposeContexts,
      },
      from: text('WHERE', 'latest, earliest, or a cursor to continue behind (default latest)'),
      count: wholeNumber('NUMBER', 'End after so many events', 1, Number.MAX_SAFE_INTEGER),
      ...SERVICE_FLAGS,
    },
  },
  docs: {
    brief: 'Watch events arrive, until Ctrl-C',
    fullDescription: lines(
      'Prints events as they are stored. When the service goes away it is waited for, and reading continues',
      'behind the last event. With --json each line is {"kind":"event","cursor","event"} or, where events',
      'are gone, {"kind":"gap","cause","cursor"}.',
    ),
    customUsage: [
      { input: `--type 'order.*'`, brief: 'from now on' },
      { input: '--from earliest --count 100 --json', brief: 'the first hundred' },
      { input: `--filter '{"priority":"HIGH"}'`, brief: 'what is urgent' },
    ],
  },
});
