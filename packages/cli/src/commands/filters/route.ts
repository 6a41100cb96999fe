import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { lines, SERVICE_FLAGS, type ServiceFlags, text, wholeNumber } from '../../command-flags.ts';
import { proposeContexts, proposeTopics } from '../../service/proposals.ts';

export interface PreviewFlags extends ServiceFlags {
  readonly topic?: string;
  readonly filter?: string;
  readonly subscriber?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly sample?: number;
  readonly cursor?: string;
  readonly oldest?: boolean;
  readonly all?: boolean;
}

const LIMIT_MAX = 100_000;
const SAMPLE_MAX = 100;

const preview: Command<CliContext> = buildCommand({
  loader: async () => (await import('./preview.ts')).previewFilter,
  parameters: {
    flags: {
      topic: { ...text('PATTERN', 'Topic pattern (default everything)'), proposeCompletions: proposeTopics },
      filter: text('JSON', 'What else an event must be: the text, @FILE, or - for standard input'),
      subscriber: {
        ...text('NAME', 'Whose registered context the filter asks for relevance'),
        proposeCompletions: proposeContexts,
      },
      from: text('TIME', 'Recorded at or after: 2026-11-20T08:00:00Z, or 15m, 2h, 3d for so long ago'),
      to: text('TIME', 'Recorded before'),
      limit: wholeNumber('NUMBER', `Events to look at, ${LIMIT_MAX} at most (default 10000)`, 1, LIMIT_MAX),
      sample: wholeNumber('NUMBER', `Events to show of either kind, ${SAMPLE_MAX} at most (default 5)`, 0, SAMPLE_MAX),
      cursor: text('CURSOR', 'Continue behind an earlier preview'),
      oldest: { kind: 'boolean', optional: true, withNegated: false, brief: 'Oldest first' },
      all: { kind: 'boolean', optional: true, withNegated: false, brief: 'Go on until everything was looked at' },
      ...SERVICE_FLAGS,
    },
  },
  docs: {
    brief: 'Try a pattern and a filter on stored events',
    fullDescription: lines(
      'Says how many of the stored events a subscription with this pattern and filter would want, and of those that',
      'it would not, which clause keeps them out. Nothing is subscribed and nothing is changed.',
    ),
    customUsage: [
      { input: `--topic 'order.*' --filter '{"priority":"HIGH"}'`, brief: 'the newest ten thousand' },
      { input: `--filter @filter.json --from 3d --all`, brief: 'the last three days' },
    ],
  },
});

export const filtersRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { preview },
  docs: { brief: 'Try filters before they are subscribed with' },
});
