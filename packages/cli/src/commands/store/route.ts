import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, lines, OUTPUT_FLAGS, text } from '../../command-flags.ts';
import type { OutputFlags } from '../../output/output.ts';
import type { StoreOptions } from './store-at.ts';

export interface StoreFlags extends OutputFlags, StoreOptions {}

const flags = {
  ...OUTPUT_FLAGS,
  schema: text('NAME', 'The schema in a database (default public)'),
  keyPrefix: text('PREFIX', 'What every name in Redis begins with (default dadms:events:)'),
};

const PLACES = 'A data directory, postgresql://user@host/database or redis://host:port/database';

const move: Command<CliContext> = buildCommand({
  loader: async () => (await import('./move.ts')).moveStoreTo,
  parameters: {
    flags,
    positional: {
      kind: 'tuple',
      parameters: [argument('from', PLACES), argument('to', 'The same, where nothing is kept yet')],
    },
  },
  docs: {
    brief: 'Move everything to another store: events, subscriptions, progress, dead letters, what is scheduled',
    fullDescription: lines(
      'Moves everything to another store: events with their positions and times, subscriptions, progress,',
      'dead letters, schedules, contexts and topics. Cursors keep their meaning, and every subscription goes',
      'on where it stood. All of it is read back and compared before the move counts; until then the source',
      'is as it was. Then the source is marked, and refuses to open.',
      '',
      'Stop the service first, and start it on the new store afterwards. A data directory that is in use is',
      'refused; who publishes to a database or a Redis that is being left waits, and is answered with 503. A',
      'move that was interrupted is begun again with the same command.',
      '',
      'Keep the password out of the command line: PGPASSWORD or ~/.pgpass, and REDIS_PASSWORD.',
    ),
    customUsage: [
      { input: './data postgresql://events@db.internal/events', brief: 'from one process to several' },
      { input: 'postgresql://events@db.internal/events ./data-2', brief: 'and back' },
      {
        input: 'redis://cache.internal:6379/0 postgresql://events@db.internal/events',
        brief: 'when memory gets too small',
      },
    ],
  },
});

const reopen: Command<CliContext> = buildCommand({
  loader: async () => (await import('./reopen.ts')).reopenStore,
  parameters: {
    flags,
    positional: {
      kind: 'tuple',
      parameters: [argument('place', PLACES)],
    },
  },
  docs: {
    brief: 'Use a store again that was moved from: it goes on from what it held then',
    customUsage: [{ input: './data', brief: 'what was published to the other store since is not here' }],
  },
});

export const storeRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { move, reopen },
  docs: { brief: 'Move a store to another place: data directories, databases, Redis' },
});
