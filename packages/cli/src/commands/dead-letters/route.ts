import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, SERVICE_FLAGS, type ServiceFlags, subscriptionArgument, text } from '../../command-flags.ts';
import { proposeSubscriptions } from '../../service/proposals.ts';

export interface DeadLettersFlags extends ServiceFlags {
  readonly subscription?: string;
}

const list: Command<CliContext> = buildCommand({
  loader: async () => (await import('./dead-letters.ts')).listDeadLetters,
  parameters: {
    flags: {
      subscription: {
        ...text('ID', 'Only those of one subscription, by its id or name'),
        parse: subscriptionArgument.parse,
        proposeCompletions: proposeSubscriptions,
      },
      ...SERVICE_FLAGS,
    },
  },
  docs: {
    brief: 'List deliveries that were given up on, and why',
    customUsage: [{ input: '--json', brief: 'with every attempt and the event, one per line' }],
  },
});

const get: Command<CliContext> = buildCommand({
  loader: async () => (await import('./dead-letters.ts')).getDeadLetter,
  parameters: {
    flags: SERVICE_FLAGS,
    positional: { kind: 'tuple', parameters: [argument('id', 'Id of the dead letter')] },
  },
  docs: { brief: 'Print a dead letter with its event and every attempt' },
});

export const deadLettersRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { list, get },
  docs: { brief: 'Look at deliveries that were given up on' },
});
