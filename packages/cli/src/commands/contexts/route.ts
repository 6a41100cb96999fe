import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, optionalArgument, SERVICE_FLAGS, type ServiceFlags, texts } from '../../command-flags.ts';
import { proposeContexts } from '../../service/proposals.ts';

export interface SetContextFlags extends ServiceFlags {
  readonly user?: readonly string[];
  readonly project?: readonly string[];
  readonly session?: readonly string[];
}

const known = { ...argument('subscriber', 'The subscriber of subscriptions'), proposeCompletions: proposeContexts };
const bySubscriber = { flags: SERVICE_FLAGS, positional: { kind: 'tuple', parameters: [known] } } as const;

const list: Command<CliContext> = buildCommand({
  loader: async () => (await import('./contexts.ts')).listContexts,
  parameters: { flags: SERVICE_FLAGS },
  docs: { brief: 'List registered contexts' },
});

const get: Command<CliContext> = buildCommand({
  loader: async () => (await import('./contexts.ts')).getContext,
  parameters: bySubscriber,
  docs: { brief: 'Print whom a subscriber works for' },
});

const set: Command<CliContext> = buildCommand({
  loader: async () => (await import('./contexts.ts')).setContext,
  parameters: {
    flags: {
      user: texts('ID', 'A user it works for'),
      project: texts('ID', 'A project it works for'),
      session: texts('ID', 'A session it follows'),
      ...SERVICE_FLAGS,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        known,
        optionalArgument('context', 'The whole context as JSON: the text, @FILE, or - for standard input'),
      ],
    },
  },
  docs: {
    brief: 'Register whom a subscriber works for, in place of what it registered before',
    customUsage: [
      { input: 'aas-service --user u-1 --project p-1 --project p-2', brief: 'by flags' },
      { input: 'aas-service @context.json', brief: 'by a file; flags beat what it says' },
    ],
  },
});

const remove: Command<CliContext> = buildCommand({
  loader: async () => (await import('./contexts.ts')).removeContext,
  parameters: bySubscriber,
  docs: { brief: 'Forget the context of a subscriber: whatever names anybody is relevant again' },
});

export const contextsRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { list, get, set, remove },
  docs: { brief: 'Say whom subscribers work for, which makes events relevant to them' },
});
