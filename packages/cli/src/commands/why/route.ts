import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, lines, SERVICE_FLAGS, subscriptionArgument } from '../../command-flags.ts';
import { proposeSubscriptions } from '../../service/proposals.ts';

export const whyRoute: Command<CliContext> = buildCommand({
  loader: async () => (await import('./why.ts')).why,
  parameters: {
    flags: SERVICE_FLAGS,
    positional: {
      kind: 'tuple',
      parameters: [
        { ...subscriptionArgument, proposeCompletions: proposeSubscriptions },
        argument('event', 'Id of the event'),
      ],
    },
  },
  docs: {
    brief: 'Say why an event did or did not come to a subscription',
    fullDescription: lines(
      'Names the reason, what to do about it, what holds besides, and every attempt with its error. What became of an',
      'event at all subscriptions is told by: event-manager events deliveries ID. Of an event that nobody knows it says so,',
      'and exits with 4.',
    ),
    customUsage: [{ input: 'billing 0198c0de-0000-7000-8000-00000000000a', brief: 'by the name of the subscription' }],
  },
});
