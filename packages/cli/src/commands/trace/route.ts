import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, lines, SERVICE_FLAGS, type ServiceFlags, wholeNumber } from '../../command-flags.ts';

export interface TraceFlags extends ServiceFlags {
  readonly depth?: number;
  readonly eventsMax?: number;
  readonly deliveries?: boolean;
}

export const DEPTH_MAX = 100;
export const EVENTS_MAX = 5_000;

export const traceRoute: Command<CliContext> = buildCommand({
  loader: async () => (await import('./trace.ts')).trace,
  parameters: {
    flags: {
      depth: wholeNumber('NUMBER', `Steps in either direction, ${DEPTH_MAX} at most (default 10)`, 0, DEPTH_MAX),
      eventsMax: wholeNumber('NUMBER', `Events to show, ${EVENTS_MAX} at most (default 500)`, 1, EVENTS_MAX),
      deliveries: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Say at each event to whom it is owed still, and who never got it, and why',
      },
      ...SERVICE_FLAGS,
    },
    positional: { kind: 'tuple', parameters: [argument('id', 'Id of an event')] },
  },
  docs: {
    brief: 'Draw what an event followed from and what followed from it',
    fullDescription: lines(
      'Causes and effects by causation id, and the other events of the same correlation id, as a tree.',
      'Times are those of recording: the first of each tree in full, the others as the wait since their cause.',
    ),
    customUsage: [
      '0198c0de-0000-7000-8000-00000000000a',
      { input: '0198c0de-0000-7000-8000-00000000000a --deliveries', brief: 'and where it got stuck' },
      {
        input: '0198c0de-0000-7000-8000-00000000000a --depth 2 --json',
        brief: 'near causes and effects, for programs',
      },
    ],
  },
});
