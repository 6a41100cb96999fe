import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import {
  argument,
  lines,
  optionalArgument,
  SERVICE_FLAGS,
  type ServiceFlags,
  text,
  texts,
} from '../../command-flags.ts';
import { proposeTopics } from '../../service/proposals.ts';

export interface PublishFlags extends ServiceFlags {
  readonly source?: string;
  readonly topic?: string;
  readonly priority?: 'CRITICAL' | 'HIGH' | 'NORMAL' | 'LOW';
  readonly id?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly tag?: readonly string[];
  readonly at?: string;
  readonly delay?: string;
}

export const publishRoute: Command<CliContext> = buildCommand({
  loader: async () => (await import('./publish.ts')).publish,
  parameters: {
    flags: {
      source: text('NAME', 'Who publishes; for events that do not say it (default event-manager-cli)'),
      topic: { ...text('TOPIC', 'Topic, when it is not the type'), proposeCompletions: proposeTopics },
      priority: {
        kind: 'enum',
        values: ['CRITICAL', 'HIGH', 'NORMAL', 'LOW'],
        optional: true,
        brief: 'How urgent it is (default NORMAL)',
      },
      id: text('UUID', 'Publishing again with the same id stores nothing twice'),
      correlationId: text('ID', 'The flow that the event is part of'),
      causationId: text('ID', 'The event that it follows from'),
      tag: texts('TEXT', 'A tag; repeat it for more'),
      at: text('TIME', 'Deliver it then and not before: 2026-11-20T08:00:00Z'),
      delay: text('TIME', 'Deliver it in so long: 90s, 15m, 2h, 3d, or milliseconds'),
      ...SERVICE_FLAGS,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        { ...argument('type', 'Type of the event; - reads events from standard input, @FILE from a file') },
        optionalArgument('payload', 'JSON object: the text or @FILE (default {})'),
      ],
    },
  },
  docs: {
    brief: 'Publish one event, or a stream of them',
    fullDescription: lines(
      'Publishes and waits until the service has stored it. Standard input and files hold one event, a JSON',
      'array of events, or one event per line (NDJSON); they are read as fast as the service takes them.',
      'Flags fill in what an event does not say. With --json each event has a line',
      '{"index","id","cursor","duplicate"} or {"index","line","error"}, and the last line counts them. A',
      'refused event does not hold up the others.',
    ),
    customUsage: [
      { input: `order.created '{"total":12.5}' --source shop`, brief: 'one event' },
      { input: `order.reminder '{"order":7}' --delay 2d`, brief: 'in two days' },
      { input: '- --source shop < events.ndjson', brief: 'one per line' },
      { input: '@events.json --json', brief: 'from a file, with an answer for each' },
    ],
  },
});
