import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { lines, SERVICE_FLAGS, type ServiceFlags, subscriptionArgument, text } from '../../command-flags.ts';
import { proposeSubscriptions } from '../../service/proposals.ts';

export interface ResetFlags extends ServiceFlags {
  readonly to: string;
  readonly note?: string;
}

export const reset: Command<CliContext> = buildCommand({
  loader: async () => (await import('./reset.ts')).resetSubscription,
  parameters: {
    flags: {
      to: {
        kind: 'parsed',
        parse: String,
        placeholder: 'PLACE',
        brief: 'earliest, latest, a cursor, or a time: 2026-11-20T08:00:00Z, or 15m, 2h, 3d for so long ago',
      },
      note: text('TEXT', 'Why; kept with the reset'),
      ...SERVICE_FLAGS,
    },
    positional: {
      kind: 'tuple',
      parameters: [{ ...subscriptionArgument, proposeCompletions: proposeSubscriptions }],
    },
  },
  docs: {
    brief: 'Have a subscription go on from another place of the log',
    fullDescription: lines(
      'What follows that place it is owed from then on, also what it had before; what waited for a retry is dropped.',
      'Its dead letters stay. To deliver a part of the past once more, see replay.',
    ),
    customUsage: [
      { input: 'billing --to 2h', brief: 'deliver the last two hours again, and what comes' },
      { input: 'billing --to latest', brief: 'skip what waits' },
    ],
  },
});
