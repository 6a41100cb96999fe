import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, SERVICE_FLAGS, type ServiceFlags, text, texts, wholeNumber } from '../../command-flags.ts';
import { proposeTopics } from '../../service/proposals.ts';

export interface DeliveriesFlags extends ServiceFlags {
  readonly all?: boolean;
}

export interface ListEventsFlags extends ServiceFlags {
  readonly topic?: string;
  readonly type?: readonly string[];
  readonly source?: readonly string[];
  readonly priority?: readonly string[];
  readonly userId?: string;
  readonly projectId?: string;
  readonly correlationId?: string;
  readonly causationId?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly newest?: boolean;
  readonly all?: boolean;
}

const LIMIT_MAX = 1_000;

const get: Command<CliContext> = buildCommand({
  loader: async () => (await import('./get.ts')).getEvent,
  parameters: {
    flags: SERVICE_FLAGS,
    positional: { kind: 'tuple', parameters: [argument('id', 'Id of the event')] },
  },
  docs: {
    brief: 'Print an event as it is stored',
    customUsage: ['0198c0de-0000-7000-8000-00000000000a'],
  },
});

const list: Command<CliContext> = buildCommand({
  loader: async () => (await import('./list.ts')).listEvents,
  parameters: {
    flags: {
      topic: { ...text('PATTERN', 'Topic pattern'), proposeCompletions: proposeTopics },
      type: texts('PATTERN', 'Pattern of types; repeat it for alternatives'),
      source: texts('NAME', 'Who published it; repeat it for alternatives'),
      priority: texts('NAME', 'CRITICAL, HIGH, NORMAL or LOW; repeat it for alternatives'),
      userId: text('ID', 'User of the metadata'),
      projectId: text('ID', 'Project of the metadata'),
      correlationId: text('ID', 'The flow that the event is part of'),
      causationId: texts('ID', 'The event that it followed from; repeat it for alternatives'),
      from: text('TIME', 'Recorded at or after: 2026-11-20T08:00:00Z, or 15m, 2h, 3d for so long ago'),
      to: text('TIME', 'Recorded before'),
      limit: wholeNumber('NUMBER', `Events of one page, ${LIMIT_MAX} at most (default 100)`, 1, LIMIT_MAX),
      cursor: text('CURSOR', 'Continue behind an earlier page'),
      newest: { kind: 'boolean', optional: true, withNegated: false, brief: 'Newest first' },
      all: { kind: 'boolean', optional: true, withNegated: false, brief: 'Every page; with --json one event per line' },
      ...SERVICE_FLAGS,
    },
  },
  docs: {
    brief: 'List stored events',
    customUsage: [
      { input: `--type 'order.*' --from 1h`, brief: 'what happened in the last hour' },
      { input: `--topic 'project.*' --newest --limit 10`, brief: 'the last ten of a topic' },
      { input: '--correlation-id 4711 --all --json', brief: 'a whole flow, for programs' },
    ],
  },
});

const scheduled: Command<CliContext> = buildCommand({
  loader: async () => (await import('./scheduled.ts')).listScheduled,
  parameters: { flags: SERVICE_FLAGS },
  docs: {
    brief: 'List events that wait for their time',
    customUsage: [{ input: '--json', brief: 'one per line' }],
  },
});

const cancel: Command<CliContext> = buildCommand({
  loader: async () => (await import('./scheduled.ts')).cancelScheduled,
  parameters: {
    flags: SERVICE_FLAGS,
    positional: { kind: 'tuple', parameters: [argument('id', 'Id of an event that waits for its time')] },
  },
  docs: {
    brief: 'Cancel an event that waits for its time',
    fullDescription: 'Says whether it was in time. If not, the event is published and the exit code is 1.',
    customUsage: ['0198c0de-0000-7000-8000-00000000000a'],
  },
});

const deliveries: Command<CliContext> = buildCommand({
  loader: async () => (await import('./deliveries.ts')).listDeliveries,
  parameters: {
    flags: {
      all: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Also subscriptions whose pattern does not match its topic',
      },
      ...SERVICE_FLAGS,
    },
    positional: { kind: 'tuple', parameters: [argument('id', 'Id of the event')] },
  },
  docs: {
    brief: 'Say what became of an event at each subscription',
    customUsage: ['0198c0de-0000-7000-8000-00000000000a'],
  },
});

export const eventsRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { list, get, deliveries, scheduled, cancel },
  docs: { brief: 'Look at stored events, and at those that wait for their time' },
});
