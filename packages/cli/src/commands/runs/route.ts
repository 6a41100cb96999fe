import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, SERVICE_FLAGS, type ServiceFlags, text } from '../../command-flags.ts';

export interface ListRunsFlags extends ServiceFlags {
  readonly kind?: string;
}

export interface ShowRunFlags extends ServiceFlags {
  readonly follow?: boolean;
}

const ID = { kind: 'tuple', parameters: [argument('id', 'Id of the run')] } as const;

const list: Command<CliContext> = buildCommand({
  loader: async () => (await import('./runs.ts')).listRuns,
  parameters: {
    flags: {
      kind: {
        ...text('KIND', 'Only those of one kind: replay, redrive or discard'),
        parse: (input: string) => {
          if (['replay', 'redrive', 'discard'].includes(input)) return input;
          throw new TypeError('a kind is replay, redrive or discard');
        },
      },
      ...SERVICE_FLAGS,
    },
  },
  docs: {
    brief: 'List replays, redrives and discards, the newest first',
    customUsage: [{ input: '--json', brief: 'one per line' }],
  },
});

const show: Command<CliContext> = buildCommand({
  loader: async () => (await import('./runs.ts')).showRun,
  parameters: {
    flags: {
      follow: { kind: 'boolean', optional: true, withNegated: false, brief: 'Wait for the end, with a progress bar' },
      ...SERVICE_FLAGS,
    },
    positional: ID,
  },
  docs: { brief: 'Say how far a run is', customUsage: ['0198c0de-0000-7000-8000-00000000000a'] },
});

const report: Command<CliContext> = buildCommand({
  loader: async () => (await import('./runs.ts')).reportRun,
  parameters: { flags: SERVICE_FLAGS, positional: ID },
  docs: { brief: 'List the deliveries that a replay gave up on, and why' },
});

const pause: Command<CliContext> = buildCommand({
  loader: async () => (await import('./runs.ts')).pauseRun,
  parameters: { flags: SERVICE_FLAGS, positional: ID },
  docs: { brief: 'Have a run stand still; what is under way goes on' },
});

const resume: Command<CliContext> = buildCommand({
  loader: async () => (await import('./runs.ts')).resumeRun,
  parameters: { flags: SERVICE_FLAGS, positional: ID },
  docs: { brief: 'Have a run go on' },
});

const cancel: Command<CliContext> = buildCommand({
  loader: async () => (await import('./runs.ts')).cancelRun,
  parameters: { flags: SERVICE_FLAGS, positional: ID },
  docs: { brief: 'End a run where it is; what was done stays done' },
});

export const runsRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { list, show, report, pause, resume, cancel },
  docs: { brief: 'Look at replays, redrives and discards, and have them stand still or end' },
});
