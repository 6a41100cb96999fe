import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, optionalArgument, SERVICE_FLAGS } from '../../command-flags.ts';
import { proposeProjections } from '../../service/proposals.ts';

const known = { ...argument('name', 'Name of the projection'), proposeCompletions: proposeProjections };
const byName = { flags: SERVICE_FLAGS, positional: { kind: 'tuple', parameters: [known] } } as const;

const list: Command<CliContext> = buildCommand({
  loader: async () => (await import('./projections.ts')).listProjections,
  parameters: { flags: SERVICE_FLAGS },
  docs: { brief: 'List projections that are kept, and how far they are' },
});

const get: Command<CliContext> = buildCommand({
  loader: async () => (await import('./projections.ts')).getProjection,
  parameters: {
    flags: SERVICE_FLAGS,
    positional: { kind: 'tuple', parameters: [known, optionalArgument('key', 'Which state, if it has keys')] },
  },
  docs: {
    brief: 'Print a state of a projection as it was kept last',
    customUsage: ['order-totals', { input: 'open-orders 4711', brief: 'of one key' }],
  },
});

const keys: Command<CliContext> = buildCommand({
  loader: async () => (await import('./projections.ts')).listKeys,
  parameters: byName,
  docs: { brief: 'List the keys of a projection that have a state' },
});

const remove: Command<CliContext> = buildCommand({
  loader: async () => (await import('./projections.ts')).removeProjection,
  parameters: byName,
  docs: { brief: 'Forget what a projection keeps, when no process folds it any more' },
});

export const projectionsRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { list, get, keys, remove },
  docs: { brief: 'Look at states that programs fold events into' },
});
