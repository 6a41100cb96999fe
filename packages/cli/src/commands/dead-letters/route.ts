import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, SERVICE_FLAGS, type ServiceFlags, subscriptionArgument, text } from '../../command-flags.ts';
import { proposeSubscriptions } from '../../service/proposals.ts';
import { LETTERS_FLAGS, REDRIVE_FLAGS } from './redrive-flags.ts';

export interface GroupsFlags extends ServiceFlags {
  readonly subscription?: string;
}

export interface DeadLettersFlags extends GroupsFlags {
  readonly state?: 'open' | 'redriven' | 'discarded' | 'superseded';
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
      state: {
        kind: 'enum',
        values: ['open', 'redriven', 'discarded', 'superseded'],
        optional: true,
        brief: 'Only those in this state',
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

const positional = {
  kind: 'array',
  parameter: argument('id', 'Ids of dead letters; without any, those that the flags name'),
} as const;

const groups: Command<CliContext> = buildCommand({
  loader: async () => (await import('./groups.ts')).groupDeadLetters,
  parameters: {
    flags: { subscription: LETTERS_FLAGS.subscription, ...SERVICE_FLAGS },
  },
  docs: { brief: 'Count open dead letters by their causes, the latest error first' },
});

const redrive: Command<CliContext> = buildCommand({
  loader: async () => (await import('./redrive.ts')).redrive,
  parameters: { flags: REDRIVE_FLAGS, positional },
  docs: {
    brief: 'Deliver dead letters once more, to the subscription that gave up on them',
    customUsage: [
      { input: '--subscription billing --error http_503 --dry-run', brief: 'which would it be?' },
      { input: '--all --rate 20 --note TEXT --follow', brief: 'all of them, twenty a second; watch it' },
      { input: 'ID --edit @payload.json', brief: 'one, with another payload' },
    ],
  },
});

const discard: Command<CliContext> = buildCommand({
  loader: async () => (await import('./redrive.ts')).discard,
  parameters: { flags: LETTERS_FLAGS, positional },
  docs: {
    brief: 'Close dead letters for good: they stay to be looked at',
    customUsage: [{ input: '--type order.test --note TEXT', brief: 'those of one event type' }],
  },
});

export const deadLettersRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { list, get, groups, redrive, discard },
  docs: { brief: 'Look at deliveries that were given up on, and try them again' },
});
