import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { OUTPUT_FLAGS, optionalArgument } from '../../command-flags.ts';
import type { OutputFlags } from '../../output/output.ts';
import type { ServeFlags } from '../serve/route.ts';
import { SERVE_FLAGS } from '../serve/route.ts';

export interface JournalFlags extends OutputFlags, Pick<ServeFlags, 'config'> {}

const parameters = {
  flags: { ...OUTPUT_FLAGS, config: SERVE_FLAGS.config },
  positional: {
    kind: 'tuple',
    parameters: [optionalArgument('directory', 'The data directory; without it that of the settings')],
  },
} as const;

const verify: Command<CliContext> = buildCommand({
  loader: async () => (await import('./journal.ts')).verifyJournal,
  parameters,
  docs: {
    brief: 'Read every byte and name each damage; exits with 1 if there is any; changes nothing',
    customUsage: [{ input: './data', brief: 'the service that uses it has to be stopped' }],
  },
});

const inspect: Command<CliContext> = buildCommand({
  loader: async () => (await import('./journal.ts')).inspectJournal,
  parameters,
  docs: { brief: 'Show segments, bounds, witness and state; changes nothing' },
});

const repair: Command<CliContext> = buildCommand({
  loader: async () => (await import('./journal.ts')).repairJournal,
  parameters,
  docs: {
    brief: 'Copy damaged files to DIRECTORY/quarantine, write clean ones, put on record what is lost',
    customUsage: [{ input: './data', brief: 'then start the service again' }],
  },
});

export const journalRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { verify, inspect, repair },
  docs: { brief: 'Check, show and repair a data directory while nobody uses it' },
});
