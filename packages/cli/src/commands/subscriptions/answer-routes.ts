import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { argument, SERVICE_FLAGS, type ServiceFlags, subscriptionArgument, text } from '../../command-flags.ts';
import { proposeSubscriptions } from '../../service/proposals.ts';

export interface NackFlags extends ServiceFlags {
  readonly error?: string;
  readonly metadata?: string;
  readonly after?: string;
  readonly deadLetter?: boolean;
}

const positional = {
  kind: 'tuple',
  parameters: [
    { ...subscriptionArgument, proposeCompletions: proposeSubscriptions },
    argument('deliveries', 'What pull --json calls the delivery; several with commas between them'),
  ],
} as const;

/** Answers to deliveries that were pulled. */
export const ack: Command<CliContext> = buildCommand({
  loader: async () => (await import('./answer.ts')).acknowledge,
  parameters: { flags: SERVICE_FLAGS, positional },
  docs: {
    brief: 'Acknowledge deliveries that were pulled; exits with 1 if one came too late',
    customUsage: ['nightly b41c09a2e7d35f8816.1,b41c09a2e7d35f8816.2'],
  },
});

export const nack: Command<CliContext> = buildCommand({
  loader: async () => (await import('./answer.ts')).refuse,
  parameters: {
    flags: {
      error: text('TEXT', 'Why; kept with them'),
      metadata: text('JSON', 'What is kept besides: the text, @FILE, or - for standard input'),
      after: text('DELAY', 'Not before: 90s, 15m, 2h, or milliseconds'),
      deadLetter: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Make dead letters of them at once; else they are tried again by the retry policy',
      },
      ...SERVICE_FLAGS,
    },
    positional,
  },
  docs: {
    brief: 'Say that deliveries that were pulled failed; exits with 1 if one came too late',
    customUsage: [`nightly b41c09a2e7d35f8816.3 --error 'out of paper' --after 15m`],
  },
});

export const extend: Command<CliContext> = buildCommand({
  loader: async () => (await import('./answer.ts')).extend,
  parameters: { flags: SERVICE_FLAGS, positional },
  docs: {
    brief: 'Begin the time of deliveries anew that were pulled; exits with 1 if one came too late',
    customUsage: ['nightly b41c09a2e7d35f8816.4'],
  },
});
