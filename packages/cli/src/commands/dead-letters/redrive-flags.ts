import type { FlagParametersForType } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import {
  SERVICE_FLAGS,
  type ServiceFlags,
  subscriptionArgument,
  text,
  texts,
  wholeNumber,
} from '../../command-flags.ts';
import { proposeSubscriptions } from '../../service/proposals.ts';

/** Which dead letters are meant, and how sure that is. */
export interface LettersFlags extends ServiceFlags {
  readonly subscription?: string;
  readonly error?: readonly string[];
  readonly fingerprint?: readonly string[];
  readonly topic?: string;
  readonly type?: readonly string[];
  readonly correlationId?: string;
  readonly userId?: string;
  readonly projectId?: string;
  readonly from?: string;
  readonly to?: string;
  readonly except?: readonly string[];
  readonly all?: boolean;
  readonly note?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly follow?: boolean;
}

export interface RedriveFlags extends LettersFlags {
  readonly rate?: number;
  readonly edit?: string;
  readonly force?: boolean;
}

const flag = (brief: string) => ({ kind: 'boolean', optional: true, withNegated: false, brief }) as const;

export const LETTERS_FLAGS = {
  subscription: {
    ...text('ID', 'Only those of one subscription, by its id or name'),
    parse: subscriptionArgument.parse,
    proposeCompletions: proposeSubscriptions,
  },
  error: texts('CODE', 'Only those whose last error has this code, such as http_503'),
  fingerprint: texts('ID', 'Only those of a group: see groups'),
  topic: text('PATTERN', 'Only those of events on these topics'),
  type: texts('PATTERN', 'Only those of events of these types'),
  correlationId: text('ID', 'Only those of one flow'),
  userId: text('ID', 'Only those whose metadata name this user'),
  projectId: text('ID', 'Only those whose metadata name this project'),
  from: text('TIME', 'Only those given up on at or after: 2026-11-20T08:00:00Z, or 15m, 2h, 3d for so long ago'),
  to: text('TIME', 'Only those given up on before'),
  except: texts('ID', 'Not this dead letter'),
  all: flag('Every open one; needed where nothing else says which'),
  note: text('TEXT', 'Why, for whoever asks later'),
  dryRun: flag('Only show which are meant'),
  yes: flag('Do not ask, however many they are'),
  follow: flag('Wait for the end, with a progress bar'),
  ...SERVICE_FLAGS,
} as const satisfies FlagParametersForType<LettersFlags, CliContext>;

export const REDRIVE_FLAGS = {
  ...LETTERS_FLAGS,
  rate: wholeNumber('N', 'Per second and subscription; else 100', 1, 100_000),
  edit: text('JSON', 'Another payload, for one dead letter: the text, @FILE, or - for standard input'),
  force: flag('Also those that were redriven as often as may be'),
} as const satisfies FlagParametersForType<RedriveFlags, CliContext>;
