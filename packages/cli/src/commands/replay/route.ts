import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { lines, SERVICE_FLAGS, type ServiceFlags, text, texts } from '../../command-flags.ts';
import { proposeSubscriptions, proposeTopics } from '../../service/proposals.ts';

export interface ReplayFlags extends ServiceFlags {
  readonly from?: string;
  readonly to?: string;
  readonly topic?: string;
  readonly type?: readonly string[];
  readonly source?: readonly string[];
  readonly userId?: string;
  readonly projectId?: string;
  readonly correlationId?: string;
  readonly subscription?: readonly string[];
  readonly all?: boolean;
  readonly speed?: string;
  readonly target?: string;
  readonly note?: string;
  readonly dryRun?: boolean;
  readonly follow?: boolean;
}

const start: Command<CliContext> = buildCommand({
  loader: async () => (await import('./replay.ts')).startReplay,
  parameters: {
    flags: {
      from: text(
        'PLACE',
        'Where to begin: earliest, a cursor, or a time: 2026-11-20T08:00:00Z, or 15m, 2h, 3d for so long ago (default: earliest)',
      ),
      to: text('PLACE', 'Where to end: latest, a cursor, or a time; at most now (default: latest)'),
      topic: { ...text('PATTERN', 'Topic pattern'), proposeCompletions: proposeTopics },
      type: texts('PATTERN', 'Pattern of types; repeat it for alternatives'),
      source: texts('NAME', 'Who published it; repeat it for alternatives'),
      userId: text('ID', 'User of the metadata'),
      projectId: text('ID', 'Project of the metadata'),
      correlationId: text('ID', 'The flow that the events are part of'),
      subscription: {
        ...texts(
          'ID',
          'Id or name of a subscription, or of the service that owns it; repeat it for more (default: all)',
        ),
        proposeCompletions: proposeSubscriptions,
      },
      all: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Everything that is kept, to everybody; needed where no other flag says which events are meant',
      },
      speed: text('SPEED', 'max (default), events per second, original, or original:10 for ten times as fast'),
      target: text('URL', 'Send them to this endpoint instead of the way of their subscriptions'),
      note: text('TEXT', 'Why; kept with the run'),
      dryRun: { kind: 'boolean', optional: true, withNegated: false, brief: 'Only say what it would do' },
      follow: { kind: 'boolean', optional: true, withNegated: false, brief: 'Wait for the end, with a progress bar' },
      ...SERVICE_FLAGS,
    },
  },
  docs: {
    brief: 'Deliver events of the past once more',
    fullDescription: lines(
      'They go to the subscriptions that match them, marked as replayed, behind live deliveries.',
      'The command ends when that is durable; with --follow when the replay is over.',
    ),
    customUsage: [
      { input: '--from 2h --subscription billing --dry-run', brief: 'what would be delivered' },
      { input: `--from 2h --topic 'order.*' --subscription billing --follow`, brief: 'do it, and watch' },
      { input: '--from earliest --subscription audit', brief: 'fill a new read model' },
      { input: '--from 1d --speed 50', brief: 'fifty events a second for each subscription' },
    ],
  },
});

export const replayRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { start },
  docs: { brief: 'Deliver events of the past once more; see also runs' },
});
