/** Flags that many commands share. */
import type { FlagParametersForType } from '@stricli/core';
import type { CliContext } from './cli-context.ts';
import type { OutputFlags } from './output/output.ts';

export interface ServiceFlags extends OutputFlags {
  readonly url?: string;
}

export const OUTPUT_FLAGS = {
  json: {
    kind: 'boolean',
    optional: true,
    withNegated: false,
    brief: 'Print JSON on stdout and nothing else: one value, or one per line',
  },
  quiet: { kind: 'boolean', optional: true, withNegated: false, brief: 'Print no notes, warnings or progress' },
} as const satisfies FlagParametersForType<OutputFlags, CliContext>;

export const SERVICE_FLAGS = {
  url: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'URL',
    brief: 'Where the service is; else EVENT_MANAGER_URL, else http://localhost:3004',
  },
  ...OUTPUT_FLAGS,
} as const satisfies FlagParametersForType<ServiceFlags, CliContext>;

/** A description as it is printed: terminals break words where they end. */
export const lines = (...text: readonly string[]): string => text.join('\n');

/** A text that is given or not. */
export const text = (placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse: String, optional: true, placeholder, brief }) as const;

/** A text that may be given several times. */
export const texts = (placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse: String, optional: true, variadic: true, placeholder, brief }) as const;

export const wholeNumber = (placeholder: string, brief: string, min: number, max: number) =>
  ({ kind: 'parsed', parse: readWhole(min, max), optional: true, placeholder, brief }) as const;

export const argument = (placeholder: string, brief: string) => ({ parse: String, placeholder, brief }) as const;

export const optionalArgument = (placeholder: string, brief: string) =>
  ({ parse: String, placeholder, brief, optional: true }) as const;

/** The id of a subscription that is given by its id or name. */
export const subscriptionArgument = {
  // Loaded when it is needed: the tree of commands is made for every command line.
  parse: async (input: string) => (await import('./service/subscription-id.ts')).subscriptionIdOf(input),
  placeholder: 'id',
  brief: 'Id or name of the subscription',
} as const;

function readWhole(min: number, max: number): (input: string) => number {
  return (input) => {
    const value = Number(input);
    if (/^\d{1,15}$/.test(input) && value >= min && value <= max) return value;
    throw new TypeError(`a whole number from ${min} to ${max} is expected`);
  };
}
