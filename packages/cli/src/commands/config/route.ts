import { buildCommand, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { OUTPUT_FLAGS } from '../../command-flags.ts';
import type { OutputFlags } from '../../output/output.ts';
import { SERVE_FLAGS, type ServeFlags } from '../serve/route.ts';

export interface ConfigFlags extends OutputFlags, ServeFlags {}

export interface PrintFlags extends ConfigFlags {
  readonly showSecrets?: boolean;
  readonly all?: boolean;
}

const flags = { ...OUTPUT_FLAGS, ...SERVE_FLAGS } as const;

const check: Command<CliContext> = buildCommand({
  loader: async () => (await import('./check.ts')).checkConfiguration,
  parameters: { flags },
  docs: {
    brief: 'Say whether the service would start with these settings; exits with 2 if not',
    customUsage: [
      { input: '', brief: 'with the environment as it is' },
      { input: '--config ./settings.toml', brief: 'before a file is rolled out' },
    ],
  },
});

const print: Command<CliContext> = buildCommand({
  loader: async () => (await import('./print.ts')).printConfiguration,
  parameters: {
    flags: {
      ...flags,
      showSecrets: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Print secrets as they are; without it they are ***',
      },
      all: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Also what has no effect in this version and is not given',
      },
    },
  },
  docs: {
    brief: 'Print each setting with its value, where it came from and what it beat',
    customUsage: [
      { input: '', brief: 'for people; whoever sees it learns no secret' },
      { input: '--json --show-secrets', brief: 'for programs that need them' },
    ],
  },
});

export const configRoute: RouteMap<CliContext> = buildRouteMap({
  routes: { check, print },
  docs: { brief: 'Check and print the settings of the service' },
});
